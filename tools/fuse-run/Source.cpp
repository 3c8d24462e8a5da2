//===- Source.cpp - what fuse-run is asked to run ---------------*- C++ -*-===//

#include "tools/fuse-run/Source.h"

#include "dialects/Fuse/Fuse.h"
#include "dialects/Tile/Tile.h"
#include "lib/Runtime/ProgramData.h"

#include "llvm/Support/MemoryBuffer.h"

namespace tilefuse::run {

Expected<std::string> readFile(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer)
    return Error{ErrorCode::NotFound,
                 "cannot read the file: " + buffer.getError().message(), path};
  return (*buffer)->getBuffer().str();
}

static CompileOptions getParseOptions(const std::string &name,
                                      const std::string &entry) {
  CompileOptions options;
  options.sourceName = name == "-" ? "<stdin>" : name;
  options.entry = entry;
  return options;
}

/// The function that is meant: a run has one.
static Expected<mlir::func::FuncOp> getEntry(Compilation &compilation) {
  auto entries = compilation.getEntries();
  if (entries.size() == 1)
    return entries.front();
  std::string names;
  for (mlir::func::FuncOp entry : entries)
    names += (names.empty() ? "" : ", ") + entry.getName().str();
  return Error{ErrorCode::InvalidArgument,
               "there are several functions (" + names +
                   "); pick one with --entry",
               compilation.getOptions().sourceName};
}

/// How the argument is filled when no input is given.
static reference::Initializer getInitializer(mlir::func::FuncOp function,
                                             unsigned index) {
  reference::Initializer initializer;
  if (auto attribute =
          function.getArgAttrOfType<fuse::InitAttr>(index, "fuse.init")) {
    if (attribute.getKind() == "normal")
      initializer.kind = reference::Initializer::Kind::Normal;
    initializer.a = attribute.getA();
    initializer.b = attribute.getB();
  }
  return initializer;
}

/// The initializers that a text states for its entry's inputs.
static std::vector<reference::Initializer>
getInitializers(mlir::func::FuncOp function, size_t count) {
  std::vector<reference::Initializer> list;
  for (size_t i = 0; i < std::min<size_t>(count, function.getNumArguments());
       ++i)
    list.push_back(getInitializer(function, i));
  list.resize(count);
  return list;
}

static bool isGraph(mlir::func::FuncOp function) {
  return llvm::all_of(function.getArgumentTypes(), [](mlir::Type type) {
    return llvm::isa<mlir::RankedTensorType>(type);
  });
}

/// Inputs of the entry, tensors in a graph and views in a tile program.
static Expected<void> readArguments(mlir::func::FuncOp entry, Source &source) {
  unsigned count = entry.getNumArguments();
  if (auto inputs = entry->getAttrOfType<mlir::IntegerAttr>("tile.num_inputs"))
    count = std::min<int64_t>(count, std::max<int64_t>(0, inputs.getInt()));
  auto initializers = getInitializers(entry, count);
  for (unsigned i = 0; i < count; ++i) {
    auto type =
        llvm::dyn_cast<mlir::ShapedType>(entry.getArgument(i).getType());
    std::optional<DType> element =
        type ? reference::getDType(type.getElementType()) : std::nullopt;
    if (!element || !type.hasStaticShape())
      return Error{ErrorCode::InvalidSource,
                   "argument " + std::to_string(i) + " of '" + source.entry +
                       "' is neither a static tensor nor a view",
                   source.name};
    Argument argument;
    auto name = entry.getArgAttrOfType<mlir::StringAttr>(i, "fuse.name");
    argument.name = name ? name.str() : "arg" + std::to_string(i);
    argument.type = *element;
    argument.shape.assign(type.getShape().begin(), type.getShape().end());
    argument.initializer = initializers[i];
    source.inputs.push_back(std::move(argument));
  }
  return {};
}

static Expected<Source> readText(std::string text, const Options &options) {
  Source source;
  source.name = options.source;
  auto compilation =
      Compilation::parse(text, getParseOptions(options.source, options.entry));
  if (!compilation)
    return compilation.error();
  source.text = std::move(text);
  auto entry = getEntry(**compilation);
  if (!entry)
    return entry.error();
  source.entry = entry->getName().str();
  source.graph = (*compilation)->getSource();
  source.isGraph = isGraph(*entry);
  // Kernels that lost their source are a graph still.
  if (source.graph.empty() && source.isGraph)
    source.graph = source.text;
  if (auto read = readArguments(*entry, source); !read)
    return read.error();
  return source;
}

static Expected<Source> readProgram(const std::string &bytes,
                                    const Options &options) {
  auto program = Program::deserialize(
      std::as_bytes(std::span(bytes.data(), bytes.size())));
  if (!program) {
    Error error = program.error();
    if (error.location.empty())
      error.location = options.source;
    return error;
  }
  if (!options.entry.empty()) {
    auto selected = program->select(options.entry);
    if (!selected)
      return selected.error();
    program = std::move(*selected);
  } else if (program->entries().size() > 1) {
    return Error{ErrorCode::InvalidArgument,
                 "the program has several entries; pick one with --entry",
                 options.source};
  }
  Source source;
  source.name = options.source;
  const Signature &signature = program->signature();
  source.entry = signature.entry;
  std::vector<reference::Initializer> initializers(signature.inputs.size());
  // A CPU program holds its text, and with it attributes and graph.
  if (!program->data().source.empty())
    if (auto held = Compilation::parse(
            program->data().source, getParseOptions("<program>", source.entry)))
      if (auto entry = getEntry(**held)) {
        initializers = getInitializers(*entry, signature.inputs.size());
        source.graph = (*held)->getSource();
      }
  for (auto [info, initializer] :
       llvm::zip_equal(signature.inputs, initializers)) {
    Argument argument;
    argument.name = info.name;
    argument.type = info.dtype;
    argument.shape.assign(info.shape.begin(), info.shape.end());
    argument.initializer = initializer;
    source.inputs.push_back(std::move(argument));
  }
  source.program = std::move(*program);
  return source;
}

/// The graph with its derivatives: what a training run computes.
static Expected<Source> readJointGraph(std::string text,
                                       const Options &options) {
  auto primal = readText(text, options);
  if (!primal)
    return primal;
  if (!primal->isGraph)
    return Error{ErrorCode::Unsupported,
                 "--grad needs a graph of the fuse dialect", options.source};
  CompileOptions emitOptions = getParseOptions(options.source, primal->entry);
  emitOptions.gradients = true;
  auto joint = emit(text, Stage::Joint, emitOptions);
  if (!joint)
    return joint.error();
  auto source = readText(std::move(*joint), options);
  if (!source)
    return source;
  source->graph = source->text;
  source->primal = std::move(text);
  return source;
}

Expected<Source> loadSource(const Options &options) {
  auto content = readFile(options.source);
  if (!content)
    return content.error();
  bool isProgram = llvm::StringRef(*content).starts_with("TILEFUSE");
  if (isProgram && options.grad)
    return Error{ErrorCode::Unsupported,
                 "--grad needs text; a program's backward pass is an entry of "
                 "its own",
                 options.source};
  if (isProgram)
    return readProgram(*content, options);
  return options.grad ? readJointGraph(std::move(*content), options)
                      : readText(std::move(*content), options);
}

Expected<Graph> parseGraph(const std::string &text, const std::string &name,
                           const std::string &entryName) {
  auto compilation = Compilation::parse(text, getParseOptions(name, entryName));
  if (!compilation)
    return compilation.error();
  auto entry = getEntry(**compilation);
  if (!entry)
    return entry.error();
  if (!isGraph(*entry))
    return Error{ErrorCode::Unsupported,
                 "'" + entry->getName().str() +
                     "' is no graph of the fuse dialect, which the reference "
                     "evaluates",
                 name};
  return Graph{std::move(*compilation), *entry};
}

} // namespace tilefuse::run
