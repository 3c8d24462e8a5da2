// RUN: fuse-opt %s --fuse-set-target=arch=cpu | FileCheck %s --check-prefix=KEPT
// RUN: fuse-opt %s --fuse-set-target="arch=cpu override" | FileCheck %s --check-prefix=REPLACED
// KEPT: fuse.target = #fuse.target<arch = "sm_90a"
// REPLACED: fuse.target = #fuse.target<arch = "cpu"

// RUN: not fuse-opt %s --fuse-set-target="arch=vax override" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: set-target.mlir:[[#]]:1: error: unknown target 'vax', expected 'cpu' or a GPU such as 'sm_90a'

module attributes {fuse.target = #fuse.target<arch = "sm_90a", units = 132,
    shared_memory = 232448, registers = 65536, dram = 4270, fp32 = 51000,
    tensor = 410000>} {
}
