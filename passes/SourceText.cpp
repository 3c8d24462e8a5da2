//===- SourceText.cpp - what a source file must satisfy ---------*- C++ -*-===//

#include "passes/SourceText.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/thread.h"

#include <cstring>
#include <unistd.h>

namespace tilefuse {

/// Deeper than any program this compiler or a person writes.
static constexpr int maxDepth = 256;

/// As long as no number is; what the parser takes grows with the square of it.
static constexpr size_t maxDigits = 1000;
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

/// The parser allocates one entry for every number up to N when it meets
/// `%name#N`, so a large N is an allocation of any size.
static constexpr uint64_t maxResultNumber = 65535;

/// Whether the `#` at `at` begins a result number too large to be one.
static bool isHugeResultNumber(llvm::StringRef source, size_t at) {
  llvm::StringRef digits = source.substr(at + 1).take_while(llvm::isDigit);
  uint64_t number;
  return !digits.empty() &&
         (digits.getAsInteger(10, number) || number > maxResultNumber);
}

/// Whether the `array` at `at` begins an array of index, whose width the parser
/// takes although it has none: `array<index: 1>`, perhaps by an alias.
static bool isIndexArray(llvm::StringRef source, size_t at) {
  if (!source.substr(at).starts_with("array"))
    return false;
  at += 5;
  auto skipBlank = [&] {
    while (at < source.size()) {
      if (llvm::isSpace(source[at]))
        ++at;
      else if (source.substr(at).starts_with("//"))
        at = skipOpaque(source, at);
      else
        return;
    }
  };
  skipBlank();
  if (!source.substr(at).starts_with("<"))
    return false;
  ++at;
  skipBlank();
  return source.substr(at).starts_with("index") ||
         source.substr(at).starts_with("!");
}

/// Attributes and types that are named once and used many times
/// (`#a = [...]`, `#b = [#a, #a]`) can stand for text of exponential size, and
/// whoever prints or walks them would take for ever. Adds up how much each name
/// stands for, in uses of names.
static constexpr uint64_t maxExpansion = 1 << 20;

static bool expandsTooFar(llvm::StringRef source) {
  llvm::StringMap<uint64_t> sizes;
  llvm::StringRef name;
  auto isNameChar = [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '.' || c == '$';
  };
  for (size_t at = 0; at < source.size(); ++at) {
    size_t next = skipOpaque(source, at);
    if (next != at) {
      at = next - 1;
      continue;
    }
    if (source[at] != '#' && source[at] != '!')
      continue;
    llvm::StringRef found = source.substr(
        at, 1 + source.substr(at + 1).take_while(isNameChar).size());
    at += found.size() - 1;
    // `#name =` is a definition, unless it compares or maps (`==`, `=>`).
    llvm::StringRef rest = source.substr(at + 1).ltrim();
    if (rest.consume_front("=") && !rest.starts_with("=")) {
      name = found;
      sizes[name] = 1;
      continue;
    }
    // A name cannot stand in its own definition: that one has ended.
    if (found == name)
      name = {};
    auto used = sizes.find(found);
    if (used == sizes.end() || name.empty())
      continue;
    uint64_t &size = sizes[name];
    size += used->second;
    if (size > maxExpansion)
      return true;
  }
  return false;
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
    } else if (c == '#' && isHugeResultNumber(source, at)) {
      return llvm::formatv("{0}:{1}: a result number over {2}", line,
                           at - lineStart + 1, maxResultNumber)
          .str();
    } else if (c == 'a' && isIndexArray(source, at)) {
      return llvm::formatv("{0}:{1}: expected an array of iN or fN", line,
                           at - lineStart + 1)
          .str();
    } else if (llvm::isDigit(c)) {
      size_t digits = source.substr(at).take_while(llvm::isDigit).size();
      if (digits > maxDigits)
        return llvm::formatv("{0}:{1}: a number of more than {2} digits", line,
                             at - lineStart + 1, maxDigits)
            .str();
      at += digits - 1;
    } else if (llvm::is_contained("([{<", c)) {
      if (++depth > maxDepth)
        return llvm::formatv("{0}:{1}: brackets nest more than {2} levels deep",
                             line, at - lineStart + 1, maxDepth)
            .str();
    } else if (c == ')' || c == ']' || c == '}' ||
               (c == '>' && at > 0 && source[at - 1] != '-')) {
      depth = std::max(depth - 1, 0);
    }
  }
  if (expandsTooFar(source))
    return std::string("1:1: attribute or type aliases that stand for more than "
                       "a million others");
  return std::nullopt;
}

/// Nothing that allocates, no destructors.
static void reportAndExit(void *tool, const char *reason, bool) {
  for (const char *part : {static_cast<const char *>(tool), ": error: ", reason, "\n"})
    if (::write(STDERR_FILENO, part, std::strlen(part)) < 0)
      break;
  ::_exit(1);
}

void exitOnFatalErrors(const char *tool) {
  void *name = const_cast<char *>(tool);
  llvm::install_fatal_error_handler(reportAndExit, name);
  llvm::install_bad_alloc_error_handler(
      [](void *name, const char *, bool crash) {
        reportAndExit(name, "out of memory", crash);
      },
      name);
}

int runWithLargeStack(llvm::function_ref<int()> body) {
  int result = 1;
  llvm::thread thread(std::optional<unsigned>(stackBytes), [&] { result = body(); });
  thread.join();
  return result;
}

} // namespace tilefuse
