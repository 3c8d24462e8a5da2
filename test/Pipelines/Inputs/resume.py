"""resume.py DIR WAY...: goes on from every dump DIR/WAY/NN-PHASE.mlir to the end, and
compares with DIR/WAY.mlir. WAY is cpu or ptx, with `-grad` behind it or not."""

import os
import subprocess
import sys

folder = sys.argv[1]
for way in sys.argv[2:]:
    target, _, grad = way.partition("-")
    dumps = sorted(os.listdir(os.path.join(folder, way)))
    phases = [name.split("-", 1)[1].removesuffix(".mlir") for name in dumps]
    with open(os.path.join(folder, way + ".mlir"), encoding="utf-8") as file:
        whole = file.read()
    for name, following in zip(dumps, phases[1:]):
        resumed = subprocess.run(
            ["fuse-opt", os.path.join(folder, way, name),
             "--fuse-to-%s=start-at=%s %s" % (target, following, grad)],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        if resumed != whole:
            sys.exit("%s: another program when resumed at %s" % (way, following))
    print(way + ":", *phases)
