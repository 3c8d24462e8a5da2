/*===- tilefuse.h - the C ABI of tilefuse -------------------------*- C -*-===*\
|*
|* Stable plain C over Compile.h and Runtime.h. Every function that can fail
|* returns a status (0 is success) and, when `error` is not null, stores there a
|* tilefuse_error that the caller frees. Handles are immutable and may be used
|* from any number of threads at once. Strings live as long as their handle.
|*
\*===----------------------------------------------------------------------===*/
#ifndef TILEFUSE_C_TILEFUSE_H
#define TILEFUSE_C_TILEFUSE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define TILEFUSE_C_API
#else
#define TILEFUSE_C_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** A compiled program. */
typedef struct tilefuse_program tilefuse_program;
/** A GPU program resident on one device. */
typedef struct tilefuse_loaded tilefuse_loaded;
/** What went wrong: code, message, location. */
typedef struct tilefuse_error tilefuse_error;
/** Bytes owned by the library. */
typedef struct tilefuse_bytes tilefuse_bytes;

/** Element types, as tilefuse::DType. */
typedef enum tilefuse_dtype {
  TILEFUSE_F32,
  TILEFUSE_F16,
  TILEFUSE_BF16,
  TILEFUSE_F64,
  TILEFUSE_I1,
  TILEFUSE_I8,
  TILEFUSE_I32,
  TILEFUSE_I64
} tilefuse_dtype;

/** One input or output. `shape` and `strides` (in elements) have `rank` entries;
 *  `alias_result` is the output that is an input's new value, or -1; `in_place`
 *  says that a run may write it straight into the input's memory. */
typedef struct tilefuse_argument {
  const char *name;
  tilefuse_dtype dtype;
  int64_t rank;
  const int64_t *shape;
  const int64_t *strides;
  uint64_t alignment;
  uint64_t bytes;
  int64_t alias_result;
  int in_place;
} tilefuse_argument;

/** One launch: kernel, program instances along three axes, threads of a block and
 *  bytes of its shared memory (GPU), modelled bytes of DRAM traffic, and whether
 *  it merges another launch's partial results. */
typedef struct tilefuse_launch {
  const char *kernel;
  uint64_t grid[3];
  uint32_t threads;
  uint32_t shared_bytes;
  int64_t bytes;
  int is_finish;
} tilefuse_launch;

/** Code (tilefuse::ErrorCode), message and location of an error. */
TILEFUSE_C_API int tilefuse_error_code(const tilefuse_error *error);
TILEFUSE_C_API const char *tilefuse_error_message(const tilefuse_error *error);
TILEFUSE_C_API const char *tilefuse_error_location(const tilefuse_error *error);
TILEFUSE_C_API void tilefuse_error_free(tilefuse_error *error);

/** Address and size of bytes. */
TILEFUSE_C_API const void *tilefuse_bytes_data(const tilefuse_bytes *bytes);
TILEFUSE_C_API size_t tilefuse_bytes_size(const tilefuse_bytes *bytes);
TILEFUSE_C_API void tilefuse_bytes_free(tilefuse_bytes *bytes);

/** Serialises a program, and reads one back. */
TILEFUSE_C_API tilefuse_bytes *
tilefuse_program_serialize(const tilefuse_program *program);
TILEFUSE_C_API int tilefuse_program_deserialize(const void *data, size_t size,
                                                tilefuse_program **program,
                                                tilefuse_error **error);
TILEFUSE_C_API void tilefuse_program_free(tilefuse_program *program);

/** Entries: a training program has a forward and a backward one. A program handle
 *  has one selected, at first the first; `select` gives a handle on another. */
TILEFUSE_C_API size_t tilefuse_program_num_entries(const tilefuse_program *p);
TILEFUSE_C_API const char *
tilefuse_program_entry_name(const tilefuse_program *p, size_t index);
TILEFUSE_C_API int tilefuse_program_select(const tilefuse_program *p,
                                           const char *entry,
                                           tilefuse_program **selected,
                                           tilefuse_error **error);
/** Sources of a backward entry's first inputs: kind 0 is the forward entry's
 *  input, 1 its result, 2 one of the outputs after its results. */
TILEFUSE_C_API size_t tilefuse_program_num_saved(const tilefuse_program *p);
TILEFUSE_C_API int tilefuse_program_saved(const tilefuse_program *p,
                                          size_t index, int *kind,
                                          size_t *position);

/** The signature. `index` counts from 0; returns non-zero when out of range. */
TILEFUSE_C_API const char *tilefuse_program_entry(const tilefuse_program *p);
TILEFUSE_C_API const char *tilefuse_program_target(const tilefuse_program *p);
TILEFUSE_C_API size_t tilefuse_program_num_inputs(const tilefuse_program *p);
TILEFUSE_C_API size_t tilefuse_program_num_outputs(const tilefuse_program *p);
TILEFUSE_C_API int tilefuse_program_input(const tilefuse_program *p,
                                          size_t index,
                                          tilefuse_argument *argument);
TILEFUSE_C_API int tilefuse_program_output(const tilefuse_program *p,
                                           size_t index,
                                           tilefuse_argument *argument);
/** Scratch bytes of one run, to be aligned to 256. */
TILEFUSE_C_API size_t
tilefuse_program_workspace_bytes(const tilefuse_program *p);
/** The launch plan. `index` counts from 0; returns non-zero when out of range. */
TILEFUSE_C_API size_t tilefuse_program_num_launches(const tilefuse_program *p);
TILEFUSE_C_API int tilefuse_program_launch(const tilefuse_program *p,
                                           size_t index,
                                           tilefuse_launch *launch);

/** Runs a CPU program on host addresses; `threads` 0 means one per core. */
TILEFUSE_C_API int tilefuse_program_run_on_host(
    const tilefuse_program *program, const void *const *inputs,
    size_t num_inputs, void *const *outputs, size_t num_outputs,
    void *workspace, unsigned threads, tilefuse_error **error);

/** Makes a GPU program resident on a device. */
TILEFUSE_C_API int tilefuse_program_load(const tilefuse_program *program,
                                         int device, tilefuse_loaded **loaded,
                                         tilefuse_error **error);
TILEFUSE_C_API void tilefuse_loaded_free(tilefuse_loaded *loaded);

/** Enqueues one run on `stream` (a CUstream). Never synchronises and never
 *  allocates device memory; works under stream capture. */
TILEFUSE_C_API int tilefuse_loaded_launch(
    const tilefuse_loaded *loaded, void *stream, const void *const *inputs,
    size_t num_inputs, void *const *outputs, size_t num_outputs,
    void *workspace, tilefuse_error **error);

/** The same runs for callers to whom every argument of a call costs, such as
 *  scripts: one block of words holds the loaded program, the stream (for a CPU
 *  program: the program, `threads`), the workspace, the inputs and the outputs.
 *  InvalidArgument, before anything is launched, for any other number. */
TILEFUSE_C_API int tilefuse_loaded_run(const void *const *words,
                                       size_t num_words,
                                       tilefuse_error **error);
TILEFUSE_C_API int tilefuse_program_run(const void *const *words,
                                        size_t num_words,
                                        tilefuse_error **error);

#ifdef __cplusplus
}
#endif

#endif /* TILEFUSE_C_TILEFUSE_H */
