#include "cryoscape/particles/image_cache.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <csignal>
#include <sstream>
#include <thread>

#include "cryoscape/particles/test_files.hpp"

using namespace cryoscape;
using namespace cryoscape::particles;

namespace {

/// What is logged while it lives.
class Log {
 public:
  Log() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink));
  }
  ~Log() { spdlog::set_default_logger(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

std::vector<float> values(float first, std::size_t count = 12) {
  std::vector<float> v(count);
  for (std::size_t i = 0; i < count; ++i) v[i] = first + 0.1f * static_cast<float>(i);
  return v;
}

}  // namespace

TEST(ImageCache, ReadsBackWhatWasStoredAndHasNoName) {
  const auto folder = test_folder() / "made/here";
  const auto cache = ImageCache::create(folder, 5, 12);
  ASSERT_TRUE(cache);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::vector<float> out(12);
  EXPECT_FALSE(cache->read(3, out));
  cache->store(3, values(7));
  cache->store(4, values(1, 9));
  cache->store(3, values(8));  // the first one counts
  EXPECT_TRUE(cache->holds(3));
  EXPECT_FALSE(cache->holds(0));
  cache->will_need(3);
  ASSERT_TRUE(cache->read(3, out));
  EXPECT_EQ(out, values(7));
  std::vector<float> nine(9);
  ASSERT_TRUE(cache->read(4, nine));
  EXPECT_EQ(nine, values(1, 9));
  cache->mark_unusable(0);
  EXPECT_TRUE(cache->unusable(0));
  EXPECT_FALSE(cache->read(0, out));
}

TEST(ImageCache, ManyThreadsStoreAndReadTheSameEntries) {
  constexpr std::size_t kEntries = 200;
  const auto cache = ImageCache::create(test_folder(), kEntries, 12);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (auto& w : wrong)
    threads.emplace_back([&] {
      std::vector<float> out(12);
      for (int pass = 0; pass < 2; ++pass)
        for (std::size_t e = 0; e < kEntries; ++e) {
          const auto expected = values(static_cast<float>(e));
          if (cache->read(e, out))
            w += out != expected;
          else
            cache->store(e, expected);
        }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
  for (std::size_t e = 0; e < kEntries; ++e) EXPECT_TRUE(cache->holds(e));
}

TEST(ImageCache, TooLittleSpaceIsAWarningWithNeededAndFreeBytes) {
  const Log log;
  const auto folder = test_folder();
  EXPECT_FALSE(ImageCache::create(folder, std::size_t{1} << 40, std::size_t{1} << 20));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  for (const auto* part : {"--cache", folder.c_str(), "4611686018427387904 bytes", "are free"})
    EXPECT_NE(log.text().find(part), std::string::npos) << log.text();
}

TEST(ImageCache, FolderThatCannotBeUsedIsAnError) {
  const auto file = test_folder() / "file";
  replace_text_file(file, "");
  for (const auto& folder : {file, file / "inside"}) {
    const auto message = error_of([&] { ImageCache::create(folder, 1, 1); });
    EXPECT_NE(message.find("--cache " + folder.string()), std::string::npos) << message;
  }
}

TEST(ImageCache, FailedWritesAreSaidOnceAndLeaveTheStacks) {
  const Log log;
  const auto cache = ImageCache::create(test_folder(), 100, 1024);
  ASSERT_TRUE(cache);
  cache->store(0, values(1, 1024));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{8192, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  cache->store(50, values(2, 1024));
  cache->store(60, values(3, 1024));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(cache->holds(50));
  EXPECT_FALSE(cache->holds(60));
  const auto text = log.text(), warning = std::string("cannot be written");
  const auto first = text.find(warning);
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find(warning, first + 1), std::string::npos) << text;
}
