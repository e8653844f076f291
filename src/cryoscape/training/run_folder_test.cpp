#include "cryoscape/training/run_folder.hpp"

#include <gtest/gtest.h>

#include "cryoscape/training/test_data_set.hpp"

using namespace cryoscape;
using namespace cryoscape::training;
namespace fs = std::filesystem;

class RunFolderTest : public DataSetTest {};

TEST_F(RunFolderTest, IsMadeWithItsParents) {
  const auto folder = RunFolder::create(folder_ / "a/b/run", false);
  EXPECT_TRUE(fs::is_directory(folder_ / "a/b/run"));
  EXPECT_EQ(folder.file("x.npy"), folder_ / "a/b/run/x.npy");
}

TEST_F(RunFolderTest, OtherPeoplesFilesAreLeftAloneUnlessForced) {
  replace_text_file(folder_ / "home/letter.txt", "dear");
  const auto message = error_of([&] { RunFolder::create(folder_ / "home", false); });
  EXPECT_MENTIONS(message, (folder_ / "home").string());
  EXPECT_MENTIONS(message, "--force");
  EXPECT_NO_THROW(RunFolder::create(folder_ / "home", true));
  EXPECT_EQ(read_text_file(folder_ / "home/letter.txt"), "dear");
  // Empty folders and runs may be written to.
  fs::create_directories(folder_ / "empty");
  EXPECT_NO_THROW(RunFolder::create(folder_ / "empty", false));
  replace_text_file(folder_ / "refused/log.txt", "too little memory");
  EXPECT_NO_THROW(RunFolder::create(folder_ / "refused", false));
  replace_text_file(folder_ / "run/config.toml", "");
  EXPECT_NO_THROW(RunFolder::create(folder_ / "run", false));
}

TEST_F(RunFolderTest, FilesInTheWayAreNamed) {
  replace_text_file(folder_ / "file", "");
  EXPECT_MENTIONS(error_of([&] { RunFolder::create(folder_ / "file", true); }), "is not a folder");
  EXPECT_MENTIONS(error_of([&] { RunFolder::create(folder_ / "file/below", true); }),
                  (folder_ / "file/below").string());
}

TEST_F(RunFolderTest, OnlyRunsAreOpened) {
  EXPECT_MENTIONS(error_of([&] { RunFolder::open(folder_ / "absent"); }), "is not a run");
  EXPECT_MENTIONS(error_of([&] { RunFolder::open(folder_); }), "config.toml");
  replace_text_file(folder_ / "config.toml", "");
  EXPECT_EQ(RunFolder::open(folder_).path(), folder_);
}

TEST_F(RunFolderTest, StepsAreAppendedAndThoseBeyondAreRemoved) {
  const auto folder = RunFolder::create(folder_, true);
  EXPECT_NO_THROW(folder.truncate_steps(3));
  for (int step = 1; step <= 5; ++step) folder.append_step({{"step", step}, {"loss", 0.1 * step}});
  folder.truncate_steps(3);
  folder.append_step({{"step", 4}, {"again", true}});
  EXPECT_EQ(read_text_file(folder.file("train.jsonl")),
            "{\"loss\":0.1,\"step\":1}\n{\"loss\":0.2,\"step\":2}\n{\"loss\":0.30000000000000004,\"step\":3}"
            "\n{\"again\":true,\"step\":4}\n");
}

TEST_F(RunFolderTest, HalfALineOfAKilledProcessIsDropped) {
  const auto folder = RunFolder::create(folder_, true);
  replace_text_file(folder.file("train.jsonl"), "{\"step\":1}\n{\"step\":2}\n{\"step\":3,\"lo");
  folder.truncate_steps(10);
  EXPECT_EQ(read_text_file(folder.file("train.jsonl")), "{\"step\":1}\n{\"step\":2}\n");
}

TEST_F(RunFolderTest, AFullDiskIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const auto folder = RunFolder::create(folder_, true);
  fs::create_symlink("/dev/full", folder.file("train.jsonl"));
  EXPECT_MENTIONS(error_of([&] { folder.append_step({{"step", 1}}); }), "train.jsonl");
}
