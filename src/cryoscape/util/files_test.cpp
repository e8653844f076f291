#include "cryoscape/util/files.hpp"

#include <gtest/gtest.h>

#include <ostream>

#include "cryoscape/util/error.hpp"

using namespace cryoscape;
namespace fs = std::filesystem;

TEST(ReplaceFile, CreatesParentsAndReplaces) {
  const auto path = fs::path(testing::TempDir()) / "files_test" / "deep" / "a.txt";
  fs::remove_all(path.parent_path().parent_path());
  replace_text_file(path, "one");
  replace_text_file(path, "two");
  EXPECT_EQ(read_text_file(path), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()), 1);
}

TEST(ReplaceFile, FailureLeavesTheOldFile) {
  const auto path = fs::path(testing::TempDir()) / "files_test_old.txt";
  replace_text_file(path, "old");
  EXPECT_THROW(replace_file_stream(path,
                                   [](std::ostream& s) {
                                     s << "half";
                                     throw Error("stop");
                                   }),
               Error);
  EXPECT_EQ(read_text_file(path), "old");
}

TEST(ReplaceFile, FullDiskIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const auto path = fs::path(testing::TempDir()) / "files_test_full.txt";
  replace_text_file(path, "old");
  EXPECT_THROW(replace_file(path,
                            [](const fs::path& temporary) {
                              fs::create_symlink("/dev/full", temporary);
                              replace_file_stream(temporary / "x", [](std::ostream&) {});
                            }),
               Error);
  EXPECT_EQ(read_text_file(path), "old");
}

TEST(ReadTextFile, MissingFileIsAnError) { EXPECT_THROW(read_text_file("/nonexistent/file"), Error); }
