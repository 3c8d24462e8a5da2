//===- DebugPrint.cpp - tile.debug_print on the CPU -----------------------===//

#include "passes/TileToCPU/RuntimeHooks.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <string>

namespace {

template <typename T> T read(const void *data, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char *>(data) + index * sizeof(T),
              sizeof(T));
  return value;
}

double readFloat16(const llvm::fltSemantics &semantics, const void *data,
                   int64_t index) {
  llvm::APFloat value(semantics, llvm::APInt(16, read<uint16_t>(data, index)));
  bool losesInfo;
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}

void printElement(llvm::raw_ostream &os, int64_t element, const void *data,
                  int64_t index) {
  switch (element) {
  case TilefuseElementF16:
    os << readFloat16(llvm::APFloat::IEEEhalf(), data, index);
    return;
  case TilefuseElementBF16:
    os << readFloat16(llvm::APFloat::BFloat(), data, index);
    return;
  case TilefuseElementF32:
    os << read<float>(data, index);
    return;
  case TilefuseElementF64:
    os << read<double>(data, index);
    return;
  case TilefuseElementI1:
    os << (read<uint8_t>(data, index) ? "true" : "false");
    return;
  case TilefuseElementI8:
    os << int(read<int8_t>(data, index));
    return;
  case TilefuseElementI16:
    os << read<int16_t>(data, index);
    return;
  case TilefuseElementI32:
    os << read<int32_t>(data, index);
    return;
  case TilefuseElementI64:
    os << read<int64_t>(data, index);
    return;
  }
}

// Nested brackets, one row per line.
void printBlock(llvm::raw_ostream &os, int64_t element,
                llvm::ArrayRef<int64_t> shape, const void *data,
                int64_t &next) {
  if (shape.empty()) {
    printElement(os, element, data, next++);
    return;
  }
  os << '[';
  for (int64_t i = 0; i < shape.front(); ++i) {
    if (i)
      os << (shape.size() == 1 ? ", " : ",\n ");
    printBlock(os, element, shape.drop_front(), data, next);
  }
  os << ']';
}

} // namespace

void tilefuse_debug_print(const char *prefix, int64_t id0, int64_t id1,
                          int64_t id2, int64_t element, int64_t rank,
                          const int64_t *shape, const void *data) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '(' << id0 << ", " << id1 << ", " << id2 << ") " << prefix;
  int64_t next = 0;
  printBlock(os, element, llvm::ArrayRef<int64_t>(shape, rank), data, next);
  os << '\n';
  // One write, so that instances do not mix their lines.
  llvm::errs() << text;
}
