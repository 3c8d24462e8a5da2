//===- Error.h - errors of the public API -----------------------*- C++ -*-===//
#ifndef TILEFUSE_ERROR_H
#define TILEFUSE_ERROR_H

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tilefuse {

/// What kind of thing went wrong; `Error::message` says the rest.
enum class ErrorCode {
  InvalidArgument = 1, ///< a call's arguments do not fit the program
  InvalidSource,       ///< text that does not parse, verify or compile
  InvalidProgram,      ///< a damaged, foreign or newer Program file
  Unsupported,         ///< valid, but not for this target or build
  NotFound,            ///< a file, device, driver or tool that is not there
  OutOfMemory,         ///< the device or the host has too little memory
  Device,              ///< the driver reported an error
  Internal,            ///< a defect of tilefuse
};

/// Name of a code, as `invalid source`.
const char *toString(ErrorCode code);

/// An error as a value. The library throws nothing.
struct Error {
  ErrorCode code = ErrorCode::Internal;
  /// One clear sentence; for source errors the compiler's diagnostic.
  std::string message;
  /// `file:line:column` of the offending text, empty when there is none.
  std::string location;

  /// `location: message`, or the message alone.
  std::string toString() const {
    return location.empty() ? message : location + ": " + message;
  }
};

/// A value or an Error. Check it before taking the value:
///   auto program = compile(text, options);
///   if (!program) return report(program.error());
///   use(*program);
template <typename T> class [[nodiscard]] Expected {
public:
  Expected(T value) : storage(std::move(value)) {}
  Expected(Error error) : storage(std::move(error)) {}

  explicit operator bool() const { return storage.index() == 0; }
  T &operator*() { return *std::get_if<0>(&storage); }
  const T &operator*() const { return *std::get_if<0>(&storage); }
  T *operator->() { return std::get_if<0>(&storage); }
  const T *operator->() const { return std::get_if<0>(&storage); }
  const Error &error() const { return *std::get_if<1>(&storage); }

private:
  std::variant<T, Error> storage;
};

/// Success or an Error.
template <> class [[nodiscard]] Expected<void> {
public:
  Expected() = default;
  Expected(Error error) : failure(std::move(error)) {}

  explicit operator bool() const { return !failure; }
  const Error &error() const { return *failure; }

private:
  std::optional<Error> failure;
};

} // namespace tilefuse

#endif // TILEFUSE_ERROR_H
