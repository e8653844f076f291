#include "cryoscape/particles/loader.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <new>
#include <numeric>

#include "cryoscape/particles/test_stacks.hpp"

using namespace cryoscape;
using namespace cryoscape::particles;

namespace {

constexpr int kBox = 16;

/// Two stacks of `count` noise images each, so that particles 2k and 2k + 1 lie in different files.
ParticleSet noise_set(int count) {
  const auto folder = test_folder();
  std::vector<std::vector<float>> images;
  for (int i = 0; i < count; ++i) images.push_back(white_noise(kBox, 100 + i));
  auto set = set_of(folder, "a.mrcs", kBox, 2, images);
  std::reverse(images.begin(), images.end());
  auto other = set_of(folder, "b.mrcs", kBox, 2, images);
  set.stacks.push_back(other.stacks[0]);
  set.stack_names.push_back("b.mrcs");
  for (int i = 0; i < count; ++i) {
    other.particles[i].stack = 1;
    other.particles[i].shift = {static_cast<float>(i), -1.5f};
    set.particles.insert(set.particles.begin() + 2 * i + 1, other.particles[i]);
  }
  set.rows.resize(set.size());
  std::iota(set.rows.begin(), set.rows.end(), 0);
  return set;
}

LoaderOptions options(int workers, int batch = 5) {
  LoaderOptions o;
  o.grid = {kBox, 2, 20, 1};
  o.batch = batch;
  o.workers = workers;
  o.queue = 3;
  o.with_images = true;
  return o;
}

std::vector<std::uint32_t> all(const ParticleSet& set) {
  std::vector<std::uint32_t> order(set.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<std::int64_t> indices_of(const Batch& b) {
  return {b.indices.data_ptr<std::int64_t>(), b.indices.data_ptr<std::int64_t>() + b.size()};
}

struct Pass {
  std::vector<std::int64_t> indices;
  std::vector<Batch> batches;
  std::int64_t consumed = 0;
};

Pass read_all(ParticleLoader& loader) {
  Pass pass;
  Batch batch;
  while (loader.next(batch)) {
    const auto i = indices_of(batch);
    pass.indices.insert(pass.indices.end(), i.begin(), i.end());
    pass.batches.push_back(batch);
    pass.consumed += batch.consumed;
  }
  return pass;
}

void expect_same(const Pass& a, const Pass& b) {
  EXPECT_EQ(a.indices, b.indices);
  ASSERT_EQ(a.batches.size(), b.batches.size());
  for (std::size_t k = 0; k < a.batches.size(); ++k) {
    EXPECT_TRUE(
        torch::equal(torch::view_as_real(a.batches[k].spectra), torch::view_as_real(b.batches[k].spectra)));
    EXPECT_TRUE(torch::equal(a.batches[k].images, b.batches[k].images));
    EXPECT_TRUE(torch::equal(a.batches[k].ctf, b.batches[k].ctf));
  }
}

}  // namespace

TEST(ParticleLoader, BatchesComeInOrderWithTheirParticlesData) {
  const auto set = noise_set(7);
  auto order = all(set);
  std::reverse(order.begin(), order.end());
  ParticleLoader loader(set, options(2));
  loader.start(order);
  const auto pass = read_all(loader);
  EXPECT_EQ(pass.indices, std::vector<std::int64_t>(order.begin(), order.end()));
  EXPECT_EQ(pass.consumed, 14);
  ASSERT_EQ(pass.batches.size(), 3u);
  EXPECT_EQ(pass.batches[2].size(), 4);
  Preprocessor preprocessor(set, options(1).grid);
  io::StackReader reader;
  const std::size_t half = kBox * (kBox / 2 + 1);
  std::vector<std::complex<float>> spectrum(half);
  std::vector<float> ctf(half), image(kBox * kBox);
  for (const auto& b : pass.batches)
    for (std::int64_t k = 0; k < b.size(); ++k) {
      const auto i = indices_of(b)[k];
      ASSERT_TRUE(preprocessor.load(reader, i, spectrum.data(), ctf.data(), image.data()));
      const auto* s =
          reinterpret_cast<const std::complex<float>*>(b.spectra[k].data_ptr<c10::complex<float>>());
      EXPECT_TRUE(std::equal(spectrum.begin(), spectrum.end(), s));
      EXPECT_TRUE(std::equal(ctf.begin(), ctf.end(), b.ctf[k].data_ptr<float>()));
      EXPECT_TRUE(std::equal(image.begin(), image.end(), b.images[k].data_ptr<float>()));
      EXPECT_EQ(b.shifts[k][1].item<float>(), set.particles[i].shift[1]);
      EXPECT_EQ(b.rotations[k][2][2].item<float>(), 1);
      EXPECT_EQ(b.groups[k].item<std::int64_t>(), 0);
    }
}

TEST(ParticleLoader, BatchesDoNotDependOnTheNumberOfWorkers) {
  const auto set = noise_set(20);
  ParticleLoader one(set, options(1)), many(set, options(5));
  const auto order = shuffled_order(all(set), 3, 0, 4);
  one.start(order);
  many.start(order);
  expect_same(read_all(one), read_all(many));
}

TEST(ParticleLoader, StartsAgainAfterAPassAndInTheMiddleOfOne) {
  const auto set = noise_set(10);
  ParticleLoader loader(set, options(3));
  const auto order = all(set);
  loader.start(order);
  EXPECT_EQ(read_all(loader).indices.size(), 20u);
  Batch batch;
  EXPECT_FALSE(loader.next(batch));
  loader.start(order);
  ASSERT_TRUE(loader.next(batch));
  loader.start({7, 3});
  EXPECT_EQ(read_all(loader).indices, (std::vector<std::int64_t>{7, 3}));
  loader.start({});
  EXPECT_FALSE(loader.next(batch));
  loader.start(order);  // and the destructor comes before the pass ends
}

TEST(ParticleLoader, WithoutImagesNoneAreMade) {
  const auto set = noise_set(3);
  auto o = options(1);
  o.with_images = false;
  ParticleLoader loader(set, o);
  loader.start(all(set));
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  EXPECT_FALSE(batch.images.defined());
  EXPECT_EQ(batch.spectra.sizes(), (std::vector<std::int64_t>{5, kBox, kBox / 2 + 1}));
}

TEST(ParticleLoader, UnusableParticlesAreLeftOutAndCounted) {
  std::vector<std::vector<float>> images;
  for (int i = 0; i < 12; ++i)
    images.push_back(i == 1 || (i >= 5 && i < 10) ? std::vector<float>(kBox * kBox, 3.0f)
                                                  : white_noise(kBox, i));
  const auto set = set_of(test_folder(), "p.mrcs", kBox, 2, images);
  ParticleLoader loader(set, options(2));
  for (int epoch = 0; epoch < 2; ++epoch) {
    loader.start(all(set));
    const auto pass = read_all(loader);
    EXPECT_EQ(pass.indices, (std::vector<std::int64_t>{0, 2, 3, 4, 10, 11}));
    EXPECT_EQ(pass.consumed, 12);
    ASSERT_EQ(pass.batches.size(), 3u);
    EXPECT_EQ(pass.batches[0].images.size(0), 4);
    EXPECT_EQ(pass.batches[1].size(), 0);
    EXPECT_EQ(loader.unusable(), (std::set<std::uint32_t>{1, 5, 6, 7, 8, 9}));
  }
}

TEST(ParticleLoader, ErrorsReachTheConsumerAfterTheBatchesBeforeThem) {
  auto set = noise_set(10);
  set.particles[12].slice = 99;
  for (const int workers : {1, 4}) {
    ParticleLoader loader(set, options(workers));
    loader.start(all(set));
    Batch batch;
    EXPECT_TRUE(loader.next(batch));
    EXPECT_TRUE(loader.next(batch));
    EXPECT_EQ(indices_of(batch).back(), 9);
    for (int again = 0; again < 2; ++again) {
      const auto message = error_of([&] { loader.next(batch); });
      EXPECT_NE(message.find("a.mrcs has 10 images, but image 100 is asked for"), std::string::npos)
          << message;
    }
    loader.start({0, 1});
    EXPECT_EQ(read_all(loader).indices, (std::vector<std::int64_t>{0, 1}));
  }
}

TEST(ParticleLoader, MissingTruncatedAndForeignStacksAreNamed) {
  auto set = noise_set(4);
  const auto read = [&] {
    ParticleLoader loader(set, options(2));
    loader.start(all(set));
    read_all(loader);
  };
  EXPECT_EQ(error_of(read), "");
  std::filesystem::resize_file(set.stacks[1], 1500);
  EXPECT_NE(error_of(read).find("b.mrcs is truncated: 1500 bytes, but its header promises 5120"),
            std::string::npos)
      << error_of(read);
  write_stack(set.stacks[1], 8, 4, 2);
  EXPECT_NE(error_of(read).find("b.mrcs has images of 8 x 8"), std::string::npos) << error_of(read);
  std::filesystem::remove(set.stacks[1]);
  EXPECT_NE(error_of(read).find("b.mrcs: No such file"), std::string::npos) << error_of(read);
}

TEST(ParticleLoader, StackThatShrinksWhileItIsReadIsAnError) {
  const auto set = noise_set(10);
  ParticleLoader loader(set, options(1));
  loader.start(all(set));
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  std::filesystem::resize_file(set.stacks[0], 2048);
  const auto message = error_of([&] {
    read_all(loader);
    loader.start(all(set));
    read_all(loader);
  });
  EXPECT_NE(message.find("a.mrcs is truncated"), std::string::npos) << message;
}

TEST(ParticleLoader, StackThatIsReplacedBetweenPassesIsAnError) {
  const auto set = noise_set(10);
  ParticleLoader loader(set, options(2));
  loader.start(all(set));
  read_all(loader);
  std::filesystem::last_write_time(set.stacks[0],
                                   std::filesystem::last_write_time(set.stacks[0]) - std::chrono::hours(1));
  const auto message = error_of([&] { loader.start(all(set)); });
  EXPECT_NE(message.find("a.mrcs was changed or replaced"), std::string::npos) << message;
  Batch batch;
  EXPECT_FALSE(loader.next(batch));
  loader.start({1, 3});  // of the other stack
  EXPECT_EQ(read_all(loader).indices, (std::vector<std::int64_t>{1, 3}));
}

TEST(ParticleLoader, ErrorsOfTheDiskReachTheConsumer) {
  const auto set = noise_set(10);
  for (const int workers : {1, 3}) {
    std::atomic<int> reads = 0;
    auto o = options(workers);
    o.reader = std::make_shared<io::StackReader>(
        8, [&](int file, void* out, std::size_t bytes, off_t offset) -> ssize_t {
          errno = EIO;
          return ++reads > 12 ? -1 : pread(file, out, bytes, offset);
        });
    ParticleLoader loader(set, o);
    loader.start(all(set));
    const auto message = error_of([&] { read_all(loader); });
    EXPECT_NE(message.find(".mrcs: Input/output error"), std::string::npos) << message;
  }
}

TEST(ParticleLoader, WantOfMemoryReachesTheConsumer) {
  const auto set = noise_set(4);
  auto o = options(2);
  o.reader = std::make_shared<io::StackReader>(
      8, [](int, void*, std::size_t, off_t) -> ssize_t { throw std::bad_alloc(); });
  ParticleLoader loader(set, o);
  loader.start(all(set));
  Batch batch;
  EXPECT_THROW(loader.next(batch), std::bad_alloc);
}

TEST(ParticleLoader, CachedParticlesAreTheSameToTheBitAndReadOnce) {
  // As stored, with phases of beam tilt, and cropped to a quarter.
  for (const auto& [box, tilt] : {std::pair{kBox, 0.0}, {kBox, 0.2}, {4 * kBox, 0.0}, {4 * kBox, 0.2}}) {
    std::vector<std::vector<float>> images;
    for (int i = 0; i < 23; ++i) images.push_back(white_noise(box, 100 + i));
    images[7].assign(images[7].size(), 1.0f);
    const auto folder = test_folder();
    auto set = set_of(folder, "p.mrcs", box, 2.0 * kBox / box, images);
    set.optics_groups[0].beam_tilt_x = tilt;
    const auto order = shuffled_order(all(set), 3, 0, 4);
    ParticleLoader plain(set, options(2));
    plain.start(order);
    const auto expected = read_all(plain);

    std::atomic<int> reads = 0;
    auto o = options(3);
    o.reader =
        std::make_shared<io::StackReader>(8, [&](int file, void* out, std::size_t bytes, off_t offset) {
          ++reads;
          return pread(file, out, bytes, offset);
        });
    o.cache = ImageCache::create(folder / "cache", set.size(), Preprocessor::cached_floats(kBox));
    ParticleLoader loader(set, o), other(set, o);
    loader.start(order);
    expect_same(read_all(loader), expected);
    EXPECT_EQ(reads, 23);
    for (auto* again : {&loader, &other}) {
      again->start(order);
      expect_same(read_all(*again), expected);
      EXPECT_EQ(again->unusable(), std::set<std::uint32_t>{7});
    }
    EXPECT_EQ(reads, 23);
  }
}

TEST(ParticleLoader, PreparesNoMoreThanItsQueueAhead) {
  // Every particle is constant, so the list of those left out shows how far the workers went.
  const std::vector<std::vector<float>> images(60, std::vector<float>(kBox * kBox, 1.0f));
  const auto set = set_of(test_folder(), "p.mrcs", kBox, 2, images);
  ParticleLoader loader(set, options(4, 2));
  loader.start(all(set));
  Batch batch;
  for (std::size_t delivered = 0; delivered < 5; ++delivered) {
    const std::size_t limit = 2 * (delivered + 3);
    for (int wait = 0; wait < 1000 && loader.unusable().size() < limit; ++wait)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(loader.unusable().size(), limit);
    ASSERT_TRUE(loader.next(batch));
  }
}

TEST(ParticleLoader, PosesCarryTheMagnificationOfTheirGroup) {
  auto set = noise_set(2);
  set.optics_groups.push_back(set.optics_groups[0]);
  set.optics_groups[1].magnification = {1.1, 0, 0, 0.9};
  set.optics_groups[1].pixel_size = 2.1;  // 32 Å are 15.2 pixels: 16 are taken, 2.1 Å each on the grid
  set.particles[1].optics_group = 1;
  set.particles[1].shift = {21, 0};
  ParticleLoader loader(set, options(1));
  loader.start({0, 1});
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  EXPECT_EQ(batch.groups[1].item<std::int64_t>(), 1);
  EXPECT_EQ(batch.rotations[0][0][0].item<float>(), 1);
  EXPECT_NEAR(batch.rotations[1][0][0].item<float>(), 1.1 * 2 / 2.1, 1e-6);
  EXPECT_NEAR(batch.rotations[1][1][1].item<float>(), 0.9 * 2 / 2.1, 1e-6);
  EXPECT_EQ(batch.rotations[1][2][2].item<float>(), 1);
  EXPECT_NEAR(batch.shifts[1][0].item<float>(), 20, 1e-5);
}

TEST(ShuffledOrder, IsAPermutationThatDependsOnSeedAndEpochOnly) {
  std::vector<std::uint32_t> indices(1000);
  std::iota(indices.begin(), indices.end(), 50);
  for (const std::size_t block : {0, 1, 7, 256, 5000}) {
    const auto a = shuffled_order(indices, 1, 2, block);
    auto sorted = a;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, indices);
    EXPECT_EQ(a, shuffled_order(indices, 1, 2, block));
    EXPECT_NE(a, shuffled_order(indices, 1, 3, block));
    EXPECT_NE(a, shuffled_order(indices, 2, 2, block));
  }
  EXPECT_TRUE(shuffled_order({}, 1, 0, 64).empty());
}

TEST(ShuffledOrder, BatchesMixTheSetWhileWindowsReadFewBlocks) {
  const std::size_t block = 16, window = 64 * block, count = 16 * window;
  std::vector<std::uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  const auto order = shuffled_order(indices, 5, 0, block);
  for (std::size_t at = 0; at < count; at += window) {
    std::set<std::size_t> blocks;
    for (std::size_t k = at; k < at + window; ++k) blocks.insert(order[k] / block);
    EXPECT_EQ(blocks.size(), 64u);
  }
  // Means of batches vary no more than about twice as much as those of independent draws.
  double square = 0;
  const double spread = static_cast<double>(count) / std::sqrt(12.0) / 8;
  for (std::size_t at = 0; at < count; at += 64) {
    double mean = 0;
    for (std::size_t k = at; k < at + 64; ++k) mean += order[k] / 64.0;
    square += std::pow((mean - count / 2.0) / spread, 2) * 64 / count;
  }
  EXPECT_LT(square, 3);
}
