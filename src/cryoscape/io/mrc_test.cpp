#include "cryoscape/io/mrc.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

using namespace cryoscape;
using namespace cryoscape::io;
namespace fs = std::filesystem;

namespace {

fs::path temporary(const std::string& name) { return fs::path(testing::TempDir()) / ("mrc_test_" + name); }

/// A one-section 2×2 file of any mode and byte order, written by hand.
fs::path handmade(int mode, bool swapped, const std::string& values, int extended = 0) {
  std::string h(1024, '\0');
  const auto put = [&](int word, std::int32_t v) {
    char b[4];
    std::memcpy(b, &v, 4);
    if (swapped) std::swap(b[0], b[3]), std::swap(b[1], b[2]);
    h.replace(4 * (word - 1), 4, b, 4);
  };
  put(1, 2), put(2, 2), put(3, 1), put(4, mode), put(8, 2), put(24, extended);
  const auto path = temporary("hand.mrc");
  replace_text_file(path, h + std::string(extended, 'x') + values);
  return path;
}

std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST(Mrc, ReadsEveryModeInBothByteOrders) {
  const std::vector<float> expected{1, 2, 3, 4};
  using namespace std::string_literals;
  EXPECT_EQ(read_mrc_volume(handmade(0, false, "\1\2\3\4"s)).data, expected);
  for (int mode : {1, 6}) {
    EXPECT_EQ(read_mrc_volume(handmade(mode, false, "\1\0\2\0\3\0\4\0"s)).data, expected);
    EXPECT_EQ(read_mrc_volume(handmade(mode, true, "\0\1\0\2\0\3\0\4"s)).data, expected);
  }
  EXPECT_EQ(read_mrc_volume(handmade(12, false, "\x00\x3c\x00\x40\x00\x42\x00\x44"s)).data, expected);
  EXPECT_EQ(read_mrc_volume(handmade(12, true, "\x3c\x00\x40\x00\x42\x00\x44\x00"s)).data, expected);
  EXPECT_EQ(read_mrc_volume(handmade(2, true, "\x3f\x80\0\0\x40\0\0\0\x40\x40\0\0\x40\x80\0\0"s, 80)).data,
            expected);
}

TEST(Mrc, VolumeRoundTrip) {
  Volume v{3, 4, 5, 1.25, {-2, 0.5, 7}, {}};
  for (int i = 0; i < 60; ++i) v.data.push_back(static_cast<float>(i) / 7 - 3);
  const auto path = temporary("volume.mrc");
  write_mrc(path, v);
  const auto w = read_mrc_volume(path);
  EXPECT_EQ(w.data, v.data);
  EXPECT_EQ(w.nz, 5);
  EXPECT_NEAR(w.pixel_size, 1.25, 1e-6);
  EXPECT_NEAR(w.origin[2], 7, 1e-6);
}

TEST(Stack, WriterAndReaderAgreeAndFewFilesStayOpen) {
  std::vector<fs::path> paths;
  for (int s = 0; s < 5; ++s) {
    paths.push_back(temporary("stack" + std::to_string(s) + ".mrcs"));
    StackWriter writer(paths.back(), 2, 1.5);
    for (int i = 0; i < 3; ++i) writer.append(std::vector<float>(4, static_cast<float>(10 * s + i)));
    writer.close();
  }
  StackReader reader(2);
  std::vector<float> image(4);
  for (int i = 2; i >= 0; --i)
    for (int s = 0; s < 5; ++s) {
      reader.read(paths[s], i, image);
      EXPECT_EQ(image, std::vector<float>(4, static_cast<float>(10 * s + i)));
    }
  EXPECT_EQ(reader.header(paths[0]).nz, 3);
}

TEST(Stack, UnfinishedWriterLeavesNothing) {
  const auto path = temporary("unfinished.mrcs");
  fs::remove(path);
  { StackWriter(path, 2, 1).append(std::vector<float>(4)); }
  EXPECT_FALSE(fs::exists(path));
}

TEST(Mrc, ErrorsSayWhatIsWrong) {
  EXPECT_NE(message([] { read_mrc_header("/nonexistent/a.mrcs"); }).find("cannot open /nonexistent/a.mrcs"),
            std::string::npos);
  using namespace std::string_literals;
  EXPECT_NE(message([] { read_mrc_header(handmade(2, false, "\0\0\0\0"s)); }).find("truncated"),
            std::string::npos);
  EXPECT_NE(message([] { read_mrc_header(handmade(4, false, "\0\0\0\0"s)); }).find("mode 4"),
            std::string::npos);
  const auto text = temporary("text.mrc");
  replace_text_file(text, std::string(2000, 'a'));
  EXPECT_NE(message([&] { read_mrc_header(text); }).find("not an MRC"), std::string::npos);
  const auto good = handmade(0, false, "\1\2\3\4"s);
  StackReader reader;
  std::vector<float> image(4);
  EXPECT_NE(message([&] { reader.read(good, 1, image); }).find("has 1 images, but image 2"),
            std::string::npos);
}
