#include "cryoscape/io/mrc.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>
#include <thread>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/random.hpp"
#include "cryoscape/util/test_data.hpp"

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

TEST(Mrc, ExtremeValuesOfEveryMode) {
  using namespace std::string_literals;
  EXPECT_EQ(read_mrc_volume(handmade(0, false, "\x80\xff\x7f\0"s)).data,
            (std::vector<float>{-128, -1, 127, 0}));
  EXPECT_EQ(read_mrc_volume(handmade(1, false, "\0\x80\xff\xff\xff\x7f\0\0"s)).data,
            (std::vector<float>{-32768, -1, 32767, 0}));
  EXPECT_EQ(read_mrc_volume(handmade(6, true, "\x80\0\xff\xff\x7f\xff\0\0"s)).data,
            (std::vector<float>{32768, 65535, 32767, 0}));
  // float16: −2, the largest, the smallest subnormal, −∞.
  const auto half = read_mrc_volume(handmade(12, false, "\0\xc0\xff\x7b\1\0\0\xfc"s)).data;
  EXPECT_EQ(half, (std::vector<float>{-2, 65504, 0x1p-24f, -std::numeric_limits<float>::infinity()}));
  EXPECT_TRUE(std::isnan(read_mrc_volume(handmade(12, false, "\1\x7c\0\0\0\0\0\0"s)).data[0]));
}

TEST(Mrc, StartIsTheOriginWhereTheHeaderHasNoOther) {
  const auto path = handmade(0, false, "1234");
  auto bytes = read_text_file(path);
  const auto put = [&](int word, auto value) { std::memcpy(bytes.data() + 4 * (word - 1), &value, 4); };
  put(5, std::int32_t{-10}), put(6, std::int32_t{4}), put(11, 3.0f);  // 2 columns of 1.5 Å
  replace_text_file(path, bytes);
  EXPECT_EQ(read_mrc_header(path).origin, (std::array<double, 3>{-15, 6, 0}));
  put(52, 7.5f);
  replace_text_file(path, bytes);
  EXPECT_EQ(read_mrc_header(path).origin, (std::array<double, 3>{0, 0, 7.5}));
}

TEST(Mrc, MapsOfAnyAxisOrderComeOutTheSame) {
  Volume v{2, 3, 4, 1.5, {1, 2, 3}, {}};
  for (int i = 0; i < 24; ++i) v.data.push_back(static_cast<float>(i));
  const int n[3] = {2, 3, 4};
  for (const auto& axes :
       std::vector<std::array<int, 3>>{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}}) {
    Volume stored{n[axes[0]], n[axes[1]], n[axes[2]], 1.5, v.origin, {}};
    std::array<int, 3> at;
    for (int s = 0; s < stored.nz; ++s)
      for (int r = 0; r < stored.ny; ++r)
        for (int c = 0; c < stored.nx; ++c) {
          at[axes[0]] = c, at[axes[1]] = r, at[axes[2]] = s;
          stored.data.push_back(v.data[(at[2] * 3 + at[1]) * 2 + at[0]]);
        }
    const auto path = temporary("axes.mrc");
    write_mrc(path, stored);
    auto bytes = read_text_file(path);
    for (std::size_t k = 0; k < 3; ++k) {
      const std::int32_t axis = axes[k] + 1;
      std::memcpy(bytes.data() + 4 * (16 + k), &axis, 4);
    }
    replace_text_file(path, bytes);
    const auto read = read_mrc_volume(path);
    EXPECT_EQ(read.data, v.data);
    EXPECT_EQ((std::array<int, 3>{read.nx, read.ny, read.nz}), (std::array<int, 3>{2, 3, 4}));
    EXPECT_EQ(read.origin, v.origin);
  }
}

TEST(Mrc, RealStackReadsImageByImageAsAVolumeDoes) {
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "shared/data is not here (set CRYOSCAPE_TEST_DATA)";
  const auto path = *data / "formats/relion31.mrcs";
  const auto volume = read_mrc_volume(path);
  StackReader reader;
  const std::size_t pixels = static_cast<std::size_t>(volume.nx) * volume.ny;
  std::vector<float> image(pixels);
  for (int i = 0; i < volume.nz; ++i) {
    reader.read(path, i, image);
    EXPECT_TRUE(std::equal(image.begin(), image.end(),
                           volume.data.begin() + static_cast<std::ptrdiff_t>(i * pixels)));
  }
}

TEST(Stack, SwappedBytesAndSmallIntegersAreReadImageByImage) {
  using namespace std::string_literals;
  StackReader reader;
  std::vector<float> image(4);
  reader.read(handmade(1, true, "\0\1\0\2\0\3\xff\xff"s, 40), 0, image);
  EXPECT_EQ(image, (std::vector<float>{1, 2, 3, -1}));
}

TEST(Stack, ManyThreadsShareFewOpenFiles) {
  constexpr int kFiles = 40, kOpen = 4, kThreads = 8;
  std::vector<fs::path> paths;
  for (int s = 0; s < kFiles; ++s) {
    paths.push_back(temporary("many" + std::to_string(s) + ".mrcs"));
    StackWriter writer(paths.back(), 2, 1);
    for (int i = 0; i < 5; ++i) writer.append(std::vector<float>(4, static_cast<float>(100 * s + i)));
    writer.close();
  }
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_files();
  StackReader reader(kOpen);
  std::vector<int> wrong(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      Philox random(1, static_cast<std::uint64_t>(t));
      std::vector<float> image(4);
      for (int k = 0; k < 400; ++k) {
        const auto s = static_cast<int>(random.below(kFiles)), i = static_cast<int>(random.below(5));
        reader.will_need(paths[s], i);
        reader.read(paths[s], i, image);
        wrong[t] += image != std::vector<float>(4, static_cast<float>(100 * s + i));
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, std::vector<int>(kThreads));
  EXPECT_LE(open_files() - before, kOpen);
}

TEST(Stack, WrongImagesAreErrorsOfReadAndNotOfTheAnnouncement) {
  const auto path = handmade(0, false, "1234");
  StackReader reader;
  reader.will_need(path, 5);
  reader.will_need(path, -1);
  std::vector<float> image(4), large(9);
  EXPECT_NE(message([&] { reader.read(path, -1, image); }).find("has 1 images, but image 0"),
            std::string::npos);
  EXPECT_NE(
      message([&] { reader.read(path, 0, large); }).find("images of 2 x 2 = 4 pixels, but 9 are expected"),
      std::string::npos);
}

TEST(Stack, FileThatShrinksWhileOpenIsNamedWithItsNumbers) {
  const auto path = temporary("shrinking.mrcs");
  StackWriter writer(path, 2, 1);
  for (int i = 0; i < 3; ++i) writer.append(std::vector<float>(4, 1.0f));
  writer.close();
  StackReader reader;
  std::vector<float> image(4);
  reader.read(path, 2, image);
  fs::resize_file(path, 1024 + 32 + 6);
  reader.read(path, 1, image);
  EXPECT_NE(message([&] {
              reader.read(path, 2, image);
            }).find("shrinking.mrcs is truncated: it had 1072 bytes when it was opened and has 1062 now"),
            std::string::npos);
}

namespace {

/// A stack whose image k holds the value `first` + k.
void write_counting_stack(const fs::path& path, int images, float first) {
  StackWriter writer(path, 2, 1);
  for (int i = 0; i < images; ++i) writer.append(std::vector<float>(4, first + static_cast<float>(i)));
  writer.close();
}

void set_age(const fs::path& path, std::chrono::seconds age) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - age);
}

}  // namespace

TEST(Stack, ErrorsOfTheDiskNameImageAndReason) {
  const auto path = temporary("broken.mrcs");
  write_counting_stack(path, 3, 0);
  int calls = 0;
  StackReader reader(4, [&](int file, void* out, std::size_t bytes, off_t offset) -> ssize_t {
    errno = ++calls == 1 ? EINTR : EIO;
    return calls == 1 || calls == 4 ? -1 : pread(file, out, std::min<std::size_t>(bytes, 8), offset);
  });
  std::vector<float> image(4);
  reader.read(path, 1, image);  // in pieces, after an interruption
  EXPECT_EQ(image, std::vector<float>(4, 1.0f));
  const auto text = message([&] { reader.read(path, 2, image); });
  EXPECT_NE(text.find("cannot read image 3 of " + path.string() + ": Input/output error"), std::string::npos)
      << text;
}

TEST(Stack, ReplacedStackIsNoticedByTheCheckAndWhenItIsOpenedAgain) {
  const auto path = temporary("replaced.mrcs"), other = temporary("other.mrcs");
  write_counting_stack(path, 3, 0), write_counting_stack(other, 3, 5);
  set_age(path, std::chrono::seconds(10));
  StackReader reader(1);
  std::vector<float> image(4);
  reader.check_unchanged(path);  // not open yet
  reader.read(path, 0, image);
  reader.check_unchanged(path);
  write_counting_stack(path, 3, 7);
  reader.read(path, 0, image);
  EXPECT_EQ(image[0], 0);  // the file that was opened
  const auto text = message([&] { reader.check_unchanged(path); });
  EXPECT_NE(text.find("replaced.mrcs was changed or replaced"), std::string::npos) << text;
  reader.read(other, 0, image);
  EXPECT_EQ(message([&] { reader.read(path, 0, image); }), text);
  fs::remove(other);
  EXPECT_NE(message([&] { reader.check_unchanged(other); }).find("No such file"), std::string::npos);
}

TEST(Stack, FullDiskIsOneErrorAndLeavesTheOldFile) {
  const auto path = temporary("full.mrcs");
  {
    StackWriter writer(path, 2, 1);
    writer.append(std::vector<float>(4, 5.0f));
    writer.close();
  }
  rlimit old;
  getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto text = message([&] {
    StackWriter writer(path, 16, 1);
    for (int i = 0; i < 10; ++i) writer.append(std::vector<float>(256, 1.0f));
    writer.close();
  });
  Volume volume{16, 16, 16, 1, {}, std::vector<float>(4096)};
  const auto volume_text = message([&] { write_mrc(path, volume); });
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(text.find("cannot write " + path.string() + ": File too large"), std::string::npos) << text;
  EXPECT_NE(volume_text.find(path.string()), std::string::npos) << volume_text;
  EXPECT_EQ(read_mrc_volume(path).data, std::vector<float>(4, 5.0f));
  for (const auto& entry : fs::directory_iterator(path.parent_path()))
    EXPECT_EQ(entry.path().filename().string().find("full.mrcs."), std::string::npos) << entry.path();
}
