"""The lit suites. Run all of them, one folder or one file, with no build step:

    /usr/lib/llvm-22/bin/lit -sv test/Fusion
    /usr/lib/llvm-22/bin/lit -sv --param build=build/asan test

Without `build`, the tools are those of the build folder that was built last.
"""

import glob
import os
import shutil

import lit.formats

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
llvm_bin = "/usr/lib/llvm-22/bin"


def newest_build():
    tools = glob.glob(os.path.join(root, "build", "*", "bin", "fuse-opt"))
    if not tools:
        lit_config.fatal("no build/*/bin/fuse-opt: build first (scripts/demo.sh)")
    return os.path.dirname(os.path.dirname(max(tools, key=os.path.getmtime)))


build = os.path.abspath(lit_config.params.get("build") or newest_build())
venv_python = os.path.join(root, ".venv", "bin", "python")

config.name = "tilefuse"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["unit", "numerics", "fuzz", "Inputs"]
config.test_source_root = os.path.join(root, "test")
config.test_exec_root = os.path.join(build, "test", "lit")

ptxas_folders = [os.environ.get("PATH", ""), "/usr/local/cuda/bin"]
ptxas_folders += sorted(glob.glob("/usr/local/cuda-*/bin"), reverse=True)
ptxas_folders += glob.glob(
    os.path.join(root, ".venv/lib/python3*/site-packages/nvidia/cu*/bin"))
ptxas = shutil.which("ptxas", path=os.pathsep.join(ptxas_folders))
path = [os.path.join(build, "bin"), llvm_bin]
if ptxas:
    config.available_features.add("ptxas")
    path.append(os.path.dirname(ptxas))
config.environment["PATH"] = os.pathsep.join(path + [os.environ.get("PATH", "")])
# What is tested is compiled.
config.environment["TILEFUSE_CACHE_DIR"] = ""
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "CCACHE_DIR"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

for tool in ("fuse-opt", "fuse-compile", "fuse-run"):
    config.substitutions.append(("%" + tool, os.path.join(build, "bin", tool)))
config.substitutions.append(
    ("%python", venv_python if os.path.exists(venv_python) else "python3"))
config.substitutions.append(("%root", root))
config.substitutions.append(("%examples", os.path.join(root, "examples", "mlir")))
