"""Random chains, compiled for the CPU, against PyTorch."""

import fuserun
from chains import make_chain

COUNT = 200


def test_chains(seed, tmp_path, capsys):
    cases = []
    for i in range(COUNT):
        graph = make_chain(seed + i)
        # Half of them run the GPU's tile program.
        flags = ("--schedule-target=sm_90a",) if i % 2 else ()
        cases.append(fuserun.Case(f"chain {seed + i}", graph, graph.make_inputs(seed + i), flags))
    outcomes = fuserun.run_cases(cases, tmp_path)
    compiled = [outcome for outcome in outcomes if not outcome.failure]
    single = sum(outcome.kernels == 1 for outcome in compiled)
    with capsys.disabled():
        print(f"\n{COUNT} chains from seed {seed}: {len(compiled)} compiled, "
              f"{100 * single / COUNT:.0f} % became one kernel, "
              f"{sum(o.kernels for o in compiled) / max(1, len(compiled)):.2f} kernels on average")
    fuserun.assert_right(outcomes, cancels=True)
