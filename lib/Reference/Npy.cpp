//===- Npy.cpp - reading and writing .npy files -----------------*- C++ -*-===//

#include "lib/Reference/Npy.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

namespace tilefuse::reference {

static constexpr llvm::StringLiteral npyMagic("\x93NUMPY");

namespace {
struct NpyHeader {
  DType type = DType::F32;
  bool fortranOrder = false;
  llvm::SmallVector<int64_t, 4> shape;
};

/// Reads the Python dict literal of the header, the subset NumPy writes:
/// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class HeaderParser {
public:
  explicit HeaderParser(llvm::StringRef text) : rest(text) {}

  /// Returns what is wrong, empty for a good header.
  std::string parse(NpyHeader &header) {
    bool haveType = false, haveOrder = false, haveShape = false;
    if (!consume("{"))
      return "the header is no Python dict";
    while (!consume("}")) {
      llvm::StringRef key;
      if (!parseString(key) || !consume(":"))
        return "the header is no Python dict";
      if (key == "descr") {
        llvm::StringRef name;
        if (!parseString(name))
          return "structured element types are not supported";
        std::optional<DType> type = getNumpyType(name);
        if (!type)
          return ("element type '" + name +
                  "' is not supported (expected little-endian f2 f4 f8 i1 i4 "
                  "i8 u1 or b1)")
              .str();
        header.type = *type;
        haveType = true;
      } else if (key == "fortran_order") {
        header.fortranOrder = consume("True");
        if (!header.fortranOrder && !consume("False"))
          return "'fortran_order' is neither True nor False";
        haveOrder = true;
      } else if (key == "shape") {
        if (!parseShape(header.shape))
          return "'shape' is no tuple of sizes";
        haveShape = true;
      } else {
        return ("unknown header key '" + key + "'").str();
      }
      consume(",");
    }
    if (!haveType || !haveOrder || !haveShape)
      return "the header lacks 'descr', 'fortran_order' or 'shape'";
    return "";
  }

private:
  bool consume(llvm::StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }

  bool parseString(llvm::StringRef &value) {
    rest = rest.ltrim();
    if (rest.empty() || (rest[0] != '\'' && rest[0] != '"'))
      return false;
    size_t end = rest.find(rest[0], 1);
    if (end == llvm::StringRef::npos)
      return false;
    value = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    return true;
  }

  bool parseShape(llvm::SmallVectorImpl<int64_t> &shape) {
    if (!consume("("))
      return false;
    while (!consume(")")) {
      uint64_t extent;
      rest = rest.ltrim();
      if (rest.consumeInteger(10, extent) || extent > (uint64_t(1) << 40))
        return false;
      shape.push_back(static_cast<int64_t>(extent));
      consume(",");
    }
    return true;
  }

  static std::optional<DType> getNumpyType(llvm::StringRef name) {
    return llvm::StringSwitch<std::optional<DType>>(name)
        .Case("<f4", DType::F32)
        .Case("<f8", DType::F64)
        .Case("<f2", DType::F16)
        .Case("|b1", DType::I1)
        .Cases({"|i1", "<i1", "|u1", "<u1"}, DType::I8)
        .Case("<i4", DType::I32)
        .Case("<i8", DType::I64)
        .Default(std::nullopt);
  }

  llvm::StringRef rest;
};
} // namespace

static Error makeError(const std::string &path, const llvm::Twine &message) {
  return Error{ErrorCode::InvalidArgument, message.str(), path};
}

/// Moves elements from column-major to row-major positions.
static void transposeFromFortran(Tensor &tensor, llvm::StringRef source) {
  size_t width = getElementBytes(tensor.getType());
  llvm::ArrayRef<int64_t> shape = tensor.getShape();
  llvm::SmallVector<int64_t> index(shape.size(), 0);
  char *target = static_cast<char *>(tensor.data());
  for (int64_t i = 0, e = tensor.size(); i < e; ++i) {
    int64_t position = 0;
    for (size_t d = shape.size(); d-- > 0;)
      position = position * shape[d] + index[d];
    std::memcpy(target + i * width, source.data() + position * width, width);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d])
        break;
      index[d] = 0;
    }
  }
}

Expected<Tensor> readNpy(const std::string &path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return Error{ErrorCode::NotFound,
                 "cannot read the file: " + file.getError().message(), path};
  llvm::StringRef content = (*file)->getBuffer();
  if (!content.starts_with(npyMagic))
    return makeError(path, "not an .npy file");
  content = content.drop_front(npyMagic.size());
  if (content.size() < 4)
    return makeError(path, "truncated .npy header");
  unsigned major = static_cast<unsigned char>(content[0]);
  if (major < 1 || major > 3)
    return makeError(path, "unknown .npy version " + llvm::Twine(major));
  size_t lengthBytes = major == 1 ? 2 : 4;
  content = content.drop_front(2);
  if (content.size() < lengthBytes)
    return makeError(path, "truncated .npy header");
  size_t headerLength = major == 1
                            ? llvm::support::endian::read16le(content.data())
                            : llvm::support::endian::read32le(content.data());
  content = content.drop_front(lengthBytes);
  if (content.size() < headerLength)
    return makeError(path, "truncated .npy header");

  NpyHeader header;
  HeaderParser parser(content.take_front(headerLength));
  if (std::string problem = parser.parse(header); !problem.empty())
    return makeError(path, problem);
  content = content.drop_front(headerLength);

  uint64_t expectedBytes = getElementBytes(header.type);
  for (int64_t extent : header.shape) {
    bool overflow = false;
    expectedBytes =
        llvm::SaturatingMultiply<uint64_t>(expectedBytes, extent, &overflow);
    if (overflow)
      return makeError(path, "the shape has too many elements");
  }
  if (content.size() != expectedBytes)
    return makeError(path, "expected " + llvm::Twine(expectedBytes) +
                               " bytes of elements for " +
                               formatShape(header.shape, header.type) +
                               ", found " + llvm::Twine(content.size()));

  Tensor tensor(header.type, header.shape);
  if (header.fortranOrder && header.shape.size() > 1)
    transposeFromFortran(tensor, content);
  else if (!content.empty())
    std::memcpy(tensor.data(), content.data(), content.size());
  return tensor;
}

static llvm::StringRef getNumpyName(DType type) {
  switch (type) {
  case DType::F64:
    return "<f8";
  case DType::F16:
    return "<f2";
  case DType::I1:
    return "|b1";
  case DType::I8:
    return "|i1";
  case DType::I32:
    return "<i4";
  case DType::I64:
    return "<i8";
  case DType::F32:
  case DType::BF16:
    break;
  }
  return "<f4";
}

Expected<void> writeNpy(const std::string &path, const Tensor &tensor) {
  if (tensor.getType() == DType::BF16)
    return writeNpy(path, tensor.convert(DType::F32));
  std::string header = "{'descr': '" + getNumpyName(tensor.getType()).str() +
                       "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : tensor.getShape())
    header += std::to_string(extent) + ", ";
  header += "), }";
  // NumPy wants the data aligned to 64 bytes and the header to end a line.
  size_t prefix = npyMagic.size() + 4;
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';

  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (error)
    return Error{ErrorCode::NotFound,
                 "cannot write the file: " + error.message(), path};
  stream << npyMagic << '\x01' << '\x00'
         << static_cast<char>(header.size() & 255)
         << static_cast<char>(header.size() >> 8) << header;
  stream.write(static_cast<const char *>(tensor.data()), tensor.getNumBytes());
  stream.close();
  if (stream.has_error()) {
    error = stream.error();
    stream.clear_error();
    return Error{ErrorCode::NotFound,
                 "cannot write the file: " + error.message(), path};
  }
  return {};
}

} // namespace tilefuse::reference
