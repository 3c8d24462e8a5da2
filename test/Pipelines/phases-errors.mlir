// RUN: not fuse-opt %s --fuse-to-ptx=stop-after=nothing 2>&1 | FileCheck %s --check-prefix=PHASE
// PHASE: there is no phase 'nothing'; the phases are target, simplify, {{.*}}, lower

// RUN: not fuse-opt %s --fuse-to-cpu=stop=tile 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: no such option stop

module {}
