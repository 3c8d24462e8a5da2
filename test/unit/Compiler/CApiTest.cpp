//===- CApiTest.cpp - what the C ABI checks -------------------------------===//

#include "tilefuse-c/compile.h"

#include "gtest/gtest.h"

#include <cstddef>
#include <cstring>
#include <string>

namespace {

constexpr char source[] =
    "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
    "  %0 = fuse.relu %x : tensor<4xf32>\n"
    "  return %0 : tensor<4xf32>\n"
    "}\n";

/// A caller whose header has `more` bytes behind the fields known here.
struct Caller {
  tilefuse_compile_options options = {};
  char more[16] = {};
};

/// The message of describing `source`, empty when it worked.
std::string describeWith(Caller &caller, size_t size) {
  caller.options.size = size;
  tilefuse_signatures *signatures = nullptr;
  tilefuse_error *error = nullptr;
  if (tilefuse_describe(source, std::strlen(source), &caller.options,
                        &signatures, &error) == 0) {
    EXPECT_EQ(tilefuse_signatures_count(signatures), 1u);
    tilefuse_signatures_free(signatures);
    return "";
  }
  std::string message = tilefuse_error_message(error);
  tilefuse_error_free(error);
  return message;
}

TEST(CApiTest, TheSizeOfOptionsIsChecked) {
  Caller caller;
  EXPECT_EQ(describeWith(caller, sizeof(tilefuse_compile_options)), "");
  // Forgotten, or not a size.
  EXPECT_NE(describeWith(caller, 0).find("size is 0"), std::string::npos);
  EXPECT_NE(describeWith(caller, 8).find("size is 8"), std::string::npos);
  EXPECT_NE(describeWith(caller, size_t(-1)).find("size is"),
            std::string::npos);
}

TEST(CApiTest, OlderCallersKnowFewerFields) {
  Caller caller;
  // Behind the size that the caller names there may be anything.
  caller.options.cache_directory = reinterpret_cast<const char *>(1);
  EXPECT_EQ(describeWith(caller,
                         offsetof(tilefuse_compile_options,
                                  gradient_arguments)),
            "");
}

TEST(CApiTest, NewerCallersMayNotSetUnknownFields) {
  Caller caller;
  EXPECT_EQ(describeWith(caller, sizeof(Caller)), "");
  caller.more[7] = 1;
  EXPECT_NE(describeWith(caller, sizeof(Caller)).find("does not know"),
            std::string::npos);
}

} // namespace
