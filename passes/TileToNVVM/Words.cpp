//===- Words.cpp - packing elements into machine words ------------*- C++ -*-===//

#include "passes/TileToNVVM/Words.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace tilefuse {
namespace {

Value i32(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantOp::create(
      builder, loc, builder.getI32IntegerAttr(static_cast<int32_t>(value)));
}

Value makeVector(OpBuilder &builder, Location loc, ArrayRef<Value> elements) {
  auto type = VectorType::get({int64_t(elements.size())},
                              elements.front().getType());
  Value vector = LLVM::PoisonOp::create(builder, loc, type);
  for (auto [i, element] : llvm::enumerate(elements))
    vector = LLVM::InsertElementOp::create(builder, loc, vector, element,
                                           i32(builder, loc, i));
  return vector;
}

Value extract(OpBuilder &builder, Location loc, Value vector, int64_t index) {
  return LLVM::ExtractElementOp::create(builder, loc, vector,
                                        i32(builder, loc, index));
}

/// PTX state space of a pointer.
StringRef getStateSpace(Value pointer) {
  switch (cast<LLVM::LLVMPointerType>(pointer.getType()).getAddressSpace()) {
  case 1:
    return ".global";
  case 3:
    return ".shared";
  default:
    return "";
  }
}

/// "$0", or "{$0, $1}" after the vector suffix.
std::string operandList(int64_t first, int64_t count) {
  std::string list;
  for (int64_t i = 0; i < count; ++i)
    list += (i ? ", $" : "$") + std::to_string(first + i);
  return count > 1 ? "{" + list + "}" : list;
}

/// ".v2.b32" and the like.
std::string getAccessType(int64_t words, int64_t bytes) {
  std::string type = words > 1 ? ".v" + std::to_string(words) : "";
  return type + (bytes == 1 ? ".b8" : bytes == 2 ? ".b16" : ".b32");
}

std::string getAddress(int64_t operand, int64_t offset) {
  std::string address = "[$" + std::to_string(operand);
  if (offset)
    address += (offset > 0 ? "+" : "") + std::to_string(offset);
  return address + "]";
}

} // namespace

Type getMemoryType(Type elementType) {
  if (elementType.isInteger(1))
    return IntegerType::get(elementType.getContext(), 8);
  return elementType;
}

int64_t getMemoryBytes(Type elementType) {
  return getMemoryType(elementType).getIntOrFloatBitWidth() / 8;
}

Value toMemory(OpBuilder &builder, Location loc, Value value) {
  if (!value.getType().isInteger(1))
    return value;
  return arith::ExtUIOp::create(builder, loc, builder.getI8Type(), value);
}

Value fromMemory(OpBuilder &builder, Location loc, Value value,
                 Type elementType) {
  if (!elementType.isInteger(1))
    return value;
  Value zero = arith::ConstantOp::create(builder, loc,
                                         builder.getI8IntegerAttr(0));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, value,
                               zero);
}

SmallVector<Value, 4> packWords(OpBuilder &builder, Location loc,
                                ArrayRef<Value> elements) {
  Type type = elements.front().getType();
  int64_t bits = type.getIntOrFloatBitWidth();
  int64_t total = bits * int64_t(elements.size());
  Type word = total < 32 ? builder.getI16Type() : builder.getI32Type();
  SmallVector<Value, 4> words;
  if (total == 8) {
    words.push_back(
        arith::ExtUIOp::create(builder, loc, word, elements.front()));
    return words;
  }
  if (bits == 64) {
    auto pair = VectorType::get({2}, builder.getI32Type());
    for (Value element : elements) {
      Value halves = LLVM::BitcastOp::create(builder, loc, pair, element);
      words.push_back(extract(builder, loc, halves, 0));
      words.push_back(extract(builder, loc, halves, 1));
    }
    return words;
  }
  size_t perWord = word.getIntOrFloatBitWidth() / bits;
  for (size_t i = 0; i < elements.size(); i += perWord) {
    Value value = perWord == 1
                      ? elements[i]
                      : makeVector(builder, loc, elements.slice(i, perWord));
    words.push_back(value.getType() == word
                        ? value
                        : LLVM::BitcastOp::create(builder, loc, word, value));
  }
  return words;
}

SmallVector<Value, 8> unpackWords(OpBuilder &builder, Location loc,
                                  ArrayRef<Value> words, Type type,
                                  int64_t count) {
  int64_t bits = type.getIntOrFloatBitWidth();
  SmallVector<Value, 8> elements;
  if (bits * count == 8) {
    elements.push_back(
        arith::TruncIOp::create(builder, loc, type, words.front()));
    return elements;
  }
  if (bits == 64) {
    for (int64_t i = 0; i < count; ++i) {
      Value halves = makeVector(builder, loc, words.slice(2 * i, 2));
      elements.push_back(LLVM::BitcastOp::create(builder, loc, type, halves));
    }
    return elements;
  }
  for (Value word : words) {
    int64_t perWord = word.getType().getIntOrFloatBitWidth() / bits;
    if (perWord == 1) {
      elements.push_back(
          word.getType() == type
              ? word
              : LLVM::BitcastOp::create(builder, loc, type, word));
      continue;
    }
    Value vector = LLVM::BitcastOp::create(
        builder, loc, VectorType::get({perWord}, type), word);
    for (int64_t i = 0; i < perWord; ++i)
      elements.push_back(extract(builder, loc, vector, i));
  }
  return elements;
}

SmallVector<Value, 8> loadElements(OpBuilder &builder, Location loc,
                                   Value pointer, int64_t offset,
                                   Value predicate, Value fallback, Type type,
                                   int64_t count, bool isVolatile) {
  int64_t bytes = getMemoryBytes(type) * count;
  if (!predicate) {
    Value address = pointer;
    if (offset)
      address = LLVM::GEPOp::create(builder, loc, pointer.getType(),
                                    builder.getI8Type(), pointer,
                                    LLVM::GEPArg(int32_t(offset)));
    if (count == 1)
      return {LLVM::LoadOp::create(builder, loc, type, address, bytes,
                                   isVolatile)};
    Value vector = LLVM::LoadOp::create(
        builder, loc, VectorType::get({count}, type), address, bytes, isVolatile);
    SmallVector<Value, 8> elements;
    for (int64_t i = 0; i < count; ++i)
      elements.push_back(extract(builder, loc, vector, i));
    return elements;
  }

  // @p ld.global.v2.b32 {$0, $1}, [$2+offset];   with $0, $1 = fallback before
  SmallVector<Value, 8> copies(count, fallback);
  SmallVector<Value, 4> words = packWords(builder, loc, copies);
  int64_t numWords = words.size();
  // Less than a word comes into the low part of one, and zeros above: the assembler
  // merges halves of registers, and then waits for each of such loads by itself.
  Type wordType = words.front().getType();
  bool isNarrow = wordType.isInteger(16);
  if (isNarrow)
    words.front() = arith::ExtUIOp::create(builder, loc, builder.getI32Type(),
                                           words.front());
  std::string text =
      ("@$" + Twine(numWords + 1) + " ld" + getStateSpace(pointer) +
       getAccessType(numWords, bytes) + " " + operandList(0, numWords) + ", " +
       getAddress(numWords, offset) + ";")
          .str();
  std::string constraints;
  for (int64_t i = 0; i < numWords; ++i)
    constraints += "=r,";
  constraints += "l,b"; // pointers of all spaces have 64 bits
  for (int64_t i = 0; i < numWords; ++i)
    constraints += "," + std::to_string(i);
  SmallVector<Value> operands = {pointer, predicate};
  llvm::append_range(operands, words);
  Type resultType =
      numWords == 1
          ? Type(builder.getI32Type())
          : LLVM::LLVMStructType::getLiteral(
                builder.getContext(), SmallVector<Type>(numWords, wordType));
  auto load = LLVM::InlineAsmOp::create(
      builder, loc, resultType, operands, text, constraints,
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(),
      ArrayAttr());
  SmallVector<Value, 4> loaded;
  for (int64_t i = 0; i < numWords; ++i)
    loaded.push_back(numWords == 1
                         ? load.getRes()
                         : LLVM::ExtractValueOp::create(builder, loc,
                                                        load.getRes(), i));
  if (isNarrow)
    loaded.front() =
        arith::TruncIOp::create(builder, loc, wordType, loaded.front());
  return unpackWords(builder, loc, loaded, type, count);
}

void storeElements(OpBuilder &builder, Location loc, Value pointer,
                   int64_t offset, Value predicate, ArrayRef<Value> elements) {
  int64_t count = elements.size();
  int64_t bytes = getMemoryBytes(elements.front().getType()) * count;
  if (!predicate) {
    Value address = pointer;
    if (offset)
      address = LLVM::GEPOp::create(builder, loc, pointer.getType(),
                                    builder.getI8Type(), pointer,
                                    LLVM::GEPArg(int32_t(offset)));
    Value value =
        count == 1 ? elements.front() : makeVector(builder, loc, elements);
    LLVM::StoreOp::create(builder, loc, value, address, bytes);
    return;
  }
  SmallVector<Value, 4> words = packWords(builder, loc, elements);
  int64_t numWords = words.size();
  StringRef letter = words.front().getType().isInteger(16) ? "h" : "r";
  std::string text =
      ("@$" + Twine(numWords + 1) + " st" + getStateSpace(pointer) +
       getAccessType(numWords, bytes) + " " + getAddress(numWords, offset) +
       ", " + operandList(0, numWords) + ";")
          .str();
  std::string constraints;
  for (int64_t i = 0; i < numWords; ++i)
    constraints += (letter + ",").str();
  constraints += "l,b"; // pointers of all spaces have 64 bits
  SmallVector<Value> operands(words.begin(), words.end());
  operands.append({pointer, predicate});
  LLVM::InlineAsmOp::create(builder, loc, TypeRange(), operands, text,
                            constraints, /*has_side_effects=*/true,
                            /*is_align_stack=*/false,
                            LLVM::tailcallkind::TailCallKind::None,
                            LLVM::AsmDialectAttr(), ArrayAttr());
}

} // namespace tilefuse
