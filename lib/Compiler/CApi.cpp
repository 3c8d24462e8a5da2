//===- CApi.cpp - the C ABI of the compiler -------------------------------===//

#include "lib/Runtime/CApi.h"
#include "passes/SourceText.h"
#include "tilefuse-c/compile.h"
#include "tilefuse/Compile.h"

#include "llvm/ADT/StringSwitch.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

using namespace tilefuse;

/// The end of the last field that the first release had.
static constexpr size_t leastSize =
    offsetof(tilefuse_compile_options, gradients) + sizeof(int);

static Expected<CompileOptions>
toOptions(const tilefuse_compile_options *passed) {
  CompileOptions options;
  if (!passed)
    return options;
  // A caller built against an older header knows fewer fields; one built
  // against a newer header may only have left zero what this library does not
  // know.
  tilefuse_compile_options fields = {}, *given = &fields;
  if (passed->size < leastSize || passed->size > (1u << 16))
    return Error{ErrorCode::InvalidArgument,
                 "tilefuse_compile_options.size is " +
                     std::to_string(passed->size) +
                     "; set it to sizeof(tilefuse_compile_options)",
                 {}};
  const char *bytes = reinterpret_cast<const char *>(passed);
  if (std::any_of(bytes + std::min(passed->size, sizeof(fields)),
                  bytes + passed->size, [](char byte) { return byte != 0; }))
    return Error{ErrorCode::InvalidArgument,
                 "tilefuse_compile_options sets fields that this version of "
                 "the library does not know",
                 {}};
  std::memcpy(given, passed, std::min(passed->size, sizeof(fields)));
  auto set = [](std::string &field, const char *value) {
    if (value)
      field = value;
  };
  set(options.target, given->target);
  set(options.scheduleTarget, given->schedule_target);
  set(options.entry, given->entry);
  set(options.sourceName, given->source_name);
  options.assemble = !given->no_assemble;
  options.gradients = given->gradients != 0;
  options.gradientArguments.assign(given->gradient_arguments,
                                   given->gradient_arguments +
                                       given->num_gradient_arguments);
  options.useCache = !given->no_cache;
  set(options.cacheDirectory, given->cache_directory);
  return options;
}

struct tilefuse_signatures {
  std::vector<Signature> list;
};

static int finish(Expected<Program> result, tilefuse_program **program,
                  tilefuse_error **error) {
  if (!result)
    return reportTo(error, result.error());
  *program = new tilefuse_program{*result};
  return 0;
}

int tilefuse_compile(const char *source, size_t length,
                     const tilefuse_compile_options *options,
                     tilefuse_program **program, tilefuse_error **error) {
  Expected<CompileOptions> known = toOptions(options);
  if (!known)
    return reportTo(error, known.error());
  return runWithLargeStack([&] {
    return finish(compile({source, length}, *known), program, error);
  });
}

int tilefuse_describe(const char *source, size_t length,
                      const tilefuse_compile_options *options,
                      tilefuse_signatures **signatures,
                      tilefuse_error **error) {
  Expected<CompileOptions> known = toOptions(options);
  if (!known)
    return reportTo(error, known.error());
  return runWithLargeStack([&] {
    Expected<std::vector<Signature>> result =
        describe({source, length}, *known);
    if (!result)
      return reportTo(error, result.error());
    *signatures = new tilefuse_signatures{std::move(*result)};
    return 0;
  });
}

void tilefuse_signatures_free(tilefuse_signatures *signatures) {
  delete signatures;
}
size_t tilefuse_signatures_count(const tilefuse_signatures *s) {
  return s->list.size();
}
const char *tilefuse_signatures_entry(const tilefuse_signatures *s,
                                      size_t entry) {
  return entry < s->list.size() ? s->list[entry].entry.c_str() : nullptr;
}
int tilefuse_signatures_input(const tilefuse_signatures *s, size_t entry,
                              size_t index, tilefuse_argument *argument) {
  return entry < s->list.size()
             ? describeArgument(s->list[entry].inputs, index, argument)
             : static_cast<int>(ErrorCode::InvalidArgument);
}
int tilefuse_signatures_output(const tilefuse_signatures *s, size_t entry,
                               size_t index, tilefuse_argument *argument) {
  return entry < s->list.size()
             ? describeArgument(s->list[entry].outputs, index, argument)
             : static_cast<int>(ErrorCode::InvalidArgument);
}

int tilefuse_recompile(const tilefuse_program *program,
                       tilefuse_program **result, tilefuse_error **error) {
  return runWithLargeStack(
      [&] { return finish(recompile(program->program), result, error); });
}

int tilefuse_emit(const char *source, size_t length, const char *stage,
                  const tilefuse_compile_options *options,
                  tilefuse_bytes **text, tilefuse_error **error) {
  auto chosen = llvm::StringSwitch<std::optional<Stage>>(stage ? stage : "")
                    .Case("fuse", Stage::Fuse)
                    .Case("joint", Stage::Joint)
                    .Case("kernels", Stage::Kernels)
                    .Case("tile", Stage::Tile)
                    .Case("llvm", Stage::Llvm)
                    .Case("ptx", Stage::Ptx)
                    .Case("cubin", Stage::Cubin)
                    .Default(std::nullopt);
  if (!chosen)
    return reportTo(
        error, {ErrorCode::InvalidArgument,
                std::string("unknown stage '") + (stage ? stage : "") + "'",
                {}});
  Expected<CompileOptions> known = toOptions(options);
  if (!known)
    return reportTo(error, known.error());
  return runWithLargeStack([&] {
    Expected<std::string> result = emit({source, length}, *chosen, *known);
    if (!result)
      return reportTo(error, result.error());
    *text = new tilefuse_bytes{std::move(*result)};
    return 0;
  });
}
