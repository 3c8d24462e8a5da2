//===- DiskCacheTest.cpp - the folder of compiled programs ----------------===//

#include "lib/Compiler/DiskCache.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"

#include <fcntl.h>
#include <sys/stat.h>

using namespace tilefuse;

namespace {

/// A folder of its own for each test.
class DiskCacheTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(
        llvm::sys::fs::createUniqueDirectory("tilefuse-cache", folder));
    ::chmod(folder.c_str(), 0700);
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  DiskCache open() { return std::move(*DiskCache::open(folder)); }

  unsigned countFiles() {
    unsigned count = 0;
    std::error_code error;
    for (llvm::sys::fs::directory_iterator it(folder, error), end; it != end;
         it.increment(error))
      ++count;
    return count;
  }

  llvm::SmallString<128> folder;
};

TEST_F(DiskCacheTest, FindsWhatWasStored) {
  DiskCache cache = open();
  EXPECT_FALSE(cache.find("key"));
  cache.store("key", {"program", std::string("ob\0ject", 7)});
  cache.store("other", {"", ""});
  std::optional<CacheEntry> entry = open().find("key");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->program, "program");
  EXPECT_EQ(entry->object, std::string("ob\0ject", 7));
  entry = cache.find("other");
  ASSERT_TRUE(entry);
  EXPECT_TRUE(entry->program.empty() && entry->object.empty());
  EXPECT_FALSE(cache.find("ke"));
  EXPECT_EQ(countFiles(), 2u);
}

TEST_F(DiskCacheTest, StoringAgainReplaces) {
  DiskCache cache = open();
  cache.store("key", {"one", ""});
  cache.store("key", {"two", "2"});
  EXPECT_EQ(cache.find("key")->program, "two");
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(DiskCacheTest, RemovesTheLeastRecentlyUsed) {
  DiskCache cache = open();
  std::string large(1000, 'x');
  for (const char *key : {"a", "b", "c"})
    cache.store(key, {large, ""});
  // The clock of a file system may be coarse.
  timespec old[2] = {{1000, 0}, {1000, 0}};
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error), end; it != end;
       it.increment(error))
    ::utimensat(AT_FDCWD, it->path().c_str(), old, 0);
  EXPECT_TRUE(cache.find("b"));
  cache.store("d", {large, ""}, /*maxBytes=*/2500);
  EXPECT_TRUE(cache.find("b"));
  EXPECT_TRUE(cache.find("d"));
  EXPECT_EQ(countFiles(), 2u);
}

TEST_F(DiskCacheTest, RefusesFoldersOthersMayEnter) {
  ::chmod(folder.c_str(), 0711);
  EXPECT_FALSE(DiskCache::open(folder));
  EXPECT_FALSE(DiskCache::open("relative"));
  llvm::SmallString<128> file(folder);
  llvm::sys::path::append(file, "missing", "deeper");
  EXPECT_TRUE(DiskCache::open(file));
}

TEST(BuildIdTest, IsThatOfThisProgram) {
  auto *here = reinterpret_cast<const void *>(&getBuildId);
  std::string id = getBuildId(here);
  EXPECT_EQ(id.size(), 40u) << id;
  EXPECT_EQ(getBuildId(here), id);
  EXPECT_EQ(getBuildId(nullptr), "");
}

} // namespace
