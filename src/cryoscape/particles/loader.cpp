#include "cryoscape/particles/loader.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::particles {
namespace {

constexpr std::size_t kReportedRows = 10;
constexpr std::size_t kWindowBlocks = 64;

template <class Iterator>
void shuffle(Iterator begin, Iterator end, Philox& random) {
  for (auto n = end - begin; n > 1; --n) std::iter_swap(begin + n - 1, begin + static_cast<std::ptrdiff_t>(random.below(n)));
}

}  // namespace

ParticleLoader::ParticleLoader(const ParticleSet& set, LoaderOptions options) : set_(set), options_(options) {}

ParticleLoader::~ParticleLoader() { stop(); }

void ParticleLoader::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  consumed_.notify_all();
  for (auto& t : threads_) t.join();
  threads_.clear();
}

void ParticleLoader::start(std::vector<std::uint32_t> order) {
  stop();
  order_ = std::move(order);
  batches_ = (order_.size() + options_.batch - 1) / options_.batch;
  claimed_ = delivered_ = 0;
  ready_.clear();
  error_ = nullptr;
  stopping_ = false;
  const auto workers = std::min<std::size_t>(std::max(1, options_.workers), batches_);
  for (std::size_t w = 0; w < workers; ++w) threads_.emplace_back([this] { work(); });
}

void ParticleLoader::work() {
  Preprocessor preprocessor(set_, options_.grid);
  for (;;) {
    std::size_t number;
    {
      std::unique_lock lock(mutex_);
      consumed_.wait(lock, [&] { return stopping_ || claimed_ < delivered_ + options_.queue || claimed_ == batches_; });
      if (stopping_ || error_ || claimed_ == batches_) return;
      number = claimed_++;
    }
    try {
      Batch batch = prepare(number, preprocessor);
      std::lock_guard lock(mutex_);
      ready_.emplace(number, std::move(batch));
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
    produced_.notify_all();
  }
}

bool ParticleLoader::next(Batch& batch) {
  {
    std::unique_lock lock(mutex_);
    if (delivered_ == batches_) return false;
    produced_.wait(lock, [&] { return error_ || ready_.contains(delivered_); });
    if (!ready_.contains(delivered_)) std::rethrow_exception(error_);
    batch = std::move(ready_.extract(delivered_).mapped());
    ++delivered_;
  }
  consumed_.notify_all();
  return true;
}

Batch ParticleLoader::prepare(std::size_t number, Preprocessor& preprocessor) {
  const std::size_t begin = number * options_.batch, end = std::min(order_.size(), begin + options_.batch);
  const auto count = static_cast<std::int64_t>(end - begin);
  const std::int64_t d = options_.grid.box;
  Batch b;
  b.consumed = count;
  b.indices = torch::empty({count}, torch::kInt64);
  b.spectra = torch::empty({count, d, d / 2 + 1}, torch::kComplexFloat);
  b.ctf = torch::empty({count, d, d / 2 + 1});
  b.rotations = torch::empty({count, 3, 3});
  b.shifts = torch::empty({count, 2});
  b.groups = torch::empty({count}, torch::kInt64);
  if (options_.with_images) b.images = torch::empty({count, d, d});
  auto* spectra = reinterpret_cast<std::complex<float>*>(b.spectra.data_ptr<c10::complex<float>>());
  const std::size_t half = optics::half_size(static_cast<int>(d));
  std::int64_t kept = 0;
  for (std::size_t k = begin; k < end; ++k) {
    const auto i = order_[k];
    if (!preprocessor.load(reader_, i, spectra + half * kept, b.ctf.data_ptr<float>() + half * kept)) {
      std::lock_guard lock(mutex_);
      if (unusable_.insert(i).second && unusable_.size() <= kReportedRows)
        spdlog::warn("particle {} (row {}) is left out: its pixels are constant or not finite", image_name(set_, i), set_.rows[i] + 1);
      continue;
    }
    const auto& p = set_.particles[i];
    b.indices.data_ptr<std::int64_t>()[kept] = i;
    b.groups.data_ptr<std::int64_t>()[kept] = p.optics_group;
    std::copy(p.rotation.begin(), p.rotation.end(), b.rotations.data_ptr<float>() + 9 * kept);
    std::copy(p.shift.begin(), p.shift.end(), b.shifts.data_ptr<float>() + 2 * kept);
    if (options_.with_images) optics::irfft2(static_cast<int>(d), spectra + half * kept, b.images.data_ptr<float>() + d * d * kept);
    ++kept;
  }
  if (kept < count)
    for (auto* t : {&b.indices, &b.images, &b.spectra, &b.ctf, &b.rotations, &b.shifts, &b.groups})
      if (t->defined()) *t = t->narrow(0, 0, kept);
  return b;
}

std::vector<std::uint32_t> shuffled_order(std::vector<std::uint32_t> indices, std::uint64_t seed, std::uint64_t epoch, std::size_t block) {
  Philox random(seed, 0x5EED0000ull + epoch);
  const std::size_t blocks = (indices.size() + block - 1) / block;
  std::vector<std::size_t> order(blocks);
  for (std::size_t b = 0; b < blocks; ++b) order[b] = b;
  shuffle(order.begin(), order.end(), random);
  std::vector<std::uint32_t> out;
  out.reserve(indices.size());
  for (const auto b : order)
    out.insert(out.end(), indices.begin() + static_cast<std::ptrdiff_t>(b * block),
               indices.begin() + static_cast<std::ptrdiff_t>(std::min(indices.size(), (b + 1) * block)));
  const std::size_t window = block * kWindowBlocks;
  for (std::size_t at = 0; at < out.size(); at += window)
    shuffle(out.begin() + static_cast<std::ptrdiff_t>(at), out.begin() + static_cast<std::ptrdiff_t>(std::min(out.size(), at + window)), random);
  return out;
}

}  // namespace cryoscape::particles
