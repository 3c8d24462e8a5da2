//===- Passes.td - passes that join the phases ---------------*- tablegen -*-===//

#ifndef TILEFUSE_PASSES_PASSES
#define TILEFUSE_PASSES_PASSES

include "mlir/Pass/PassBase.td"

def FuseSetTarget : Pass<"fuse-set-target", "::mlir::ModuleOp"> {
  let summary = "Say which machine the module is compiled for";
  let description = [{
    Sets the module attribute `fuse.target`, which every cost-driven pass reads.
    A module that has one already keeps it, unless `override` is given.

    Before, with `arch=sm_90a`:
    ```mlir
    module {}
    ```
    After:
    ```mlir
    module attributes {fuse.target = #fuse.target<arch = "sm_90a", ...>} {}
    ```
    Afterwards the module has a target. An unknown architecture is an error.
  }];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_90a\"", "`cpu` or `sm_NN[a]`">,
    Option<"overrideTarget", "override", "bool", "false",
           "replace a target that is already there">
  ];
}

def FuseDumpPhase : Pass<"fuse-dump-phase", "::mlir::ModuleOp"> {
  let summary = "Write the module to a file and leave it as it is";
  let description = [{
    The pipelines' `dump=DIR` option puts one of these after each phase. The file
    is what `fuse-opt` reads again, so a compile can be resumed from it.
  }];
  let options = [
    Option<"file", "file", "std::string", "\"-\"", "where to write; `-` is stderr">
  ];
}

#endif // TILEFUSE_PASSES_PASSES
