//===- SourceText.h - what a source file must satisfy -----------*- C++ -*-===//
//
// MLIR's parser trusts its input in ways that a compiler of other people's files
// cannot: its bytecode reader is not hardened; it recurses once for every level of
// brackets, so that 64 KB of '[' overflow the stack; `%x#4000000000` makes it
// allocate so many entries; `array<index: 1>` has no width that it could take;
// aliases of aliases stand for text of exponential size; and a number of 60,000 digits
// takes it a minute. Every tool and the compile API check a source here before the parser
// sees it.
//
//===----------------------------------------------------------------------===//
#ifndef TILEFUSE_PASSES_SOURCETEXT_H
#define TILEFUSE_PASSES_SOURCETEXT_H

#include "mlir/Support/LLVM.h"

#include <string>

namespace tilefuse {

/// Says why `source` must not be parsed, as `line:column: what is wrong`, or
/// nothing when it may. `allowBytecode` accepts MLIR bytecode unread.
std::optional<std::string> findSourceProblem(llvm::StringRef source,
                                             bool allowBytecode = false);

/// For the tools, after llvm::InitLLVM: where memory or threads are refused, or LLVM
/// gives up, `tool: error: ...` and exit 1 instead of an abort. `tool` must outlive
/// the process.
void exitOnFatalErrors(const char *tool);

/// Runs `body` on a thread whose stack holds the recursion of any source that
/// findSourceProblem accepts, and returns its result.
int runWithLargeStack(llvm::function_ref<int()> body);

} // namespace tilefuse

#endif // TILEFUSE_PASSES_SOURCETEXT_H
