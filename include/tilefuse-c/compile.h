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
  /** Positions of the arguments to differentiate; none: every float argument
   *  that no result aliases. */
  const int64_t *gradient_arguments;
  size_t num_gradient_arguments;
  /** Non-zero: neither read nor write the on-disk cache. */
  int no_cache;
  /** The cache's folder, an absolute path; null: the user's own. */
  const char *cache_directory;
} tilefuse_compile_options;

/** The signatures of a source's functions. */
typedef struct tilefuse_signatures tilefuse_signatures;

/** Compiles MLIR text (`length` bytes) of any stage from fuse to tile. */
TILEFUSE_C_API int tilefuse_compile(const char *source, size_t length,
                                    const tilefuse_compile_options *options,
                                    tilefuse_program **program,
                                    tilefuse_error **error);

/** Parses and verifies; says what the functions take and give. `entry` and
 *  `index` count from 0; strings and shapes live as long as the signatures.
 *  tilefuse_signatures_input and _output return non-zero when out of range. */
TILEFUSE_C_API int tilefuse_describe(const char *source, size_t length,
                                     const tilefuse_compile_options *options,
                                     tilefuse_signatures **signatures,
                                     tilefuse_error **error);
TILEFUSE_C_API void tilefuse_signatures_free(tilefuse_signatures *signatures);
TILEFUSE_C_API size_t tilefuse_signatures_count(const tilefuse_signatures *s);
TILEFUSE_C_API const char *
tilefuse_signatures_entry(const tilefuse_signatures *s, size_t entry);
TILEFUSE_C_API int tilefuse_signatures_input(const tilefuse_signatures *s,
                                             size_t entry, size_t index,
                                             tilefuse_argument *argument);
TILEFUSE_C_API int tilefuse_signatures_output(const tilefuse_signatures *s,
                                              size_t entry, size_t index,
                                              tilefuse_argument *argument);

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
