/*===- compile.h - the compiler part of the C ABI -----------------*- C -*-===*\
|*
|* Needs the compiler library; tilefuse.h alone needs only the runtime.
|*
\*===----------------------------------------------------------------------===*/
#ifndef TILEFUSE_C_COMPILE_H
#define TILEFUSE_C_COMPILE_H

#include "tilefuse-c/tilefuse.h"

#ifdef __cplusplus
extern "C" {
#endif

/** As tilefuse::CompileOptions; null strings mean the default. Zero the whole
 *  struct, then set `size` to sizeof(tilefuse_compile_options). */
typedef struct tilefuse_compile_options {
  size_t size;
  const char *target;
  const char *schedule_target;
  const char *entry;
  const char *source_name;
  /** Non-zero: leave assembling PTX to the driver. */
  int no_assemble;
  /** Non-zero: derive the backward pass as well. */
  int gradients;
} tilefuse_compile_options;

/** Compiles MLIR text (`length` bytes) of any stage from fuse to tile. */
TILEFUSE_C_API int tilefuse_compile(const char *source, size_t length,
                                    const tilefuse_compile_options *options,
                                    tilefuse_program **program,
                                    tilefuse_error **error);

/** Compiles a loaded CPU program again from the source it carries. */
TILEFUSE_C_API int tilefuse_recompile(const tilefuse_program *program,
                                      tilefuse_program **result,
                                      tilefuse_error **error);

/** The IR or code after a stage: fuse, joint, kernels, tile, llvm, ptx, cubin. */
TILEFUSE_C_API int tilefuse_emit(const char *source, size_t length,
                                 const char *stage,
                                 const tilefuse_compile_options *options,
                                 tilefuse_bytes **text, tilefuse_error **error);

#ifdef __cplusplus
}
#endif

#endif /* TILEFUSE_C_COMPILE_H */
