//===- SourceText.cpp - what a source file must satisfy ---------*- C++ -*-===//

#include "passes/SourceText.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/thread.h"

namespace tilefuse {

/// Deeper than any program this compiler or a person writes.
static constexpr int maxDepth = 256;
/// Other recursions of the parser (long chains of unary minus in an affine map,
/// of attribute aliases) have no bracket to count; they are bounded by the
/// length of the longest line instead of a level.
static constexpr unsigned stackBytes = 1u << 30;

/// The index of the first byte after the string literal or comment that starts
/// at `at`, or `at` when none does.
static size_t skipOpaque(llvm::StringRef source, size_t at) {
  if (source.substr(at).starts_with("//"))
    return std::min(source.find('\n', at), source.size());
  if (source[at] != '"')
    return at;
  for (size_t end = at + 1; end < source.size(); ++end) {
    if (source[end] == '\\')
      ++end;
    else if (source[end] == '"' || source[end] == '\n')
      return end + 1;
  }
  return source.size();
}

std::optional<std::string> findSourceProblem(llvm::StringRef source,
                                             bool allowBytecode) {
  // The magic may also start a later part of a split input.
  if (source.contains("ML\xefR")) {
    if (allowBytecode)
      return std::nullopt;
    return std::string("1:1: this is MLIR bytecode, and its reader is not safe "
                       "on files of unknown origin; pass --allow-bytecode if "
                       "you trust it");
  }
  int depth = 0;
  size_t line = 1, lineStart = 0;
  for (size_t at = 0; at < source.size(); ++at) {
    size_t next = skipOpaque(source, at);
    if (next != at) {
      at = next - 1;
      if (at < source.size() && source[at] == '\n')
        ++line, lineStart = at + 1;
      continue;
    }
    char c = source[at];
    if (c == '\n') {
      ++line, lineStart = at + 1;
    } else if (c == '\0') {
      return llvm::formatv("{0}:{1}: a NUL byte; expected MLIR text", line,
                           at - lineStart + 1)
          .str();
    } else if (llvm::is_contained("([{<", c) && c != '\0') {
      if (++depth > maxDepth)
        return llvm::formatv("{0}:{1}: brackets nest more than {2} levels deep",
                             line, at - lineStart + 1, maxDepth)
            .str();
    } else if (c == ')' || c == ']' || c == '}' ||
               (c == '>' && at > 0 && source[at - 1] != '-')) {
      depth = std::max(depth - 1, 0);
    }
  }
  return std::nullopt;
}

int runWithLargeStack(llvm::function_ref<int()> body) {
  int result = 1;
  llvm::thread thread(std::optional<unsigned>(stackBytes), [&] { result = body(); });
  thread.join();
  return result;
}

} // namespace tilefuse
