#include "cryoscape/particles/loader.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/particles/left_out.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::particles {
namespace {

constexpr std::size_t kWindowBlocks = 64;
constexpr std::uint64_t kOrderStream = 0x5EED0000ull;

template <class Iterator>
void shuffle(Iterator begin, Iterator end, Philox& random) {
  for (auto n = end - begin; n > 1; --n)
    std::iter_swap(begin + n - 1, begin + static_cast<std::ptrdiff_t>(random.below(n)));
}

}  // namespace

ParticleLoader::ParticleLoader(const ParticleSet& set, LoaderOptions options)
    : set_(set),
      options_(std::move(options)),
      preprocessor_(set, options_.grid),
      reader_(options_.reader ? options_.reader : std::make_shared<io::StackReader>()) {}

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
  batches_ = claimed_ = delivered_ = 0;
  check_stacks();
  batches_ = (order_.size() + options_.batch - 1) / options_.batch;
  ready_.assign(queue(), std::nullopt);
  stopping_ = false;
  const auto workers = std::min<std::size_t>(std::max(1, options_.workers), batches_);
  for (std::size_t w = 0; w < workers; ++w) threads_.emplace_back([this] { work(); });
}

/// A stack that was changed in place may still be long enough to be read.
void ParticleLoader::check_stacks() {
  std::vector<char> checked(set_.stacks.size(), 0);
  for (const auto i : order_) {
    const auto stack = set_.particles[i].stack;
    if (checked[stack] || (options_.cache && options_.cache->holds(i))) continue;
    checked[stack] = 1;
    reader_->check_unchanged(set_.stacks[stack]);
  }
}

void ParticleLoader::work() {
  std::optional<Preprocessor> preprocessor;
  for (;;) {
    std::size_t number;
    {
      std::unique_lock lock(mutex_);
      consumed_.wait(lock,
                     [&] { return stopping_ || claimed_ < delivered_ + queue() || claimed_ == batches_; });
      if (stopping_ || claimed_ == batches_) return;
      number = claimed_++;
    }
    Result result;
    try {
      if (!preprocessor) preprocessor.emplace(preprocessor_);
      result = prepare(number, *preprocessor);
    } catch (...) {
      result = std::current_exception();
    }
    {
      std::lock_guard lock(mutex_);
      // Batches before a failed one are already claimed, so next() gets them all and then the error, whatever
      // the timing.
      stopping_ |= std::holds_alternative<std::exception_ptr>(result);
      slot(number) = std::move(result);
    }
    produced_.notify_all();
  }
}

bool ParticleLoader::next(Batch& batch) {
  {
    std::unique_lock lock(mutex_);
    if (delivered_ == batches_) return false;
    auto& result = slot(delivered_);
    produced_.wait(lock, [&] { return result.has_value(); });
    if (const auto* error = std::get_if<std::exception_ptr>(&*result)) std::rethrow_exception(*error);
    batch = std::get<Batch>(std::move(*result));
    result.reset();
    ++delivered_;
  }
  consumed_.notify_all();
  return true;
}

std::set<std::uint32_t> ParticleLoader::unusable() const {
  std::lock_guard lock(mutex_);
  return unusable_;
}

void ParticleLoader::leave_out(std::uint32_t particle) {
  std::lock_guard lock(mutex_);
  if (unusable_.insert(particle).second) warn_left_out(set_, particle, unusable_.size());
}

/// Asks the system to read the batch's images together, so that disks see many requests at once.
void ParticleLoader::announce(std::size_t begin, std::size_t end) {
  for (std::size_t k = begin; k < end; ++k) {
    const auto i = order_[k];
    const auto& p = set_.particles[i];
    if (options_.cache && options_.cache->holds(i))
      options_.cache->will_need(i);
    else
      reader_->will_need(set_.stacks[p.stack], p.slice);
  }
}

Batch ParticleLoader::empty_batch(std::int64_t count) const {
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
  if (options_.with_wide_ctf) b.wide_ctf = torch::empty({count, 2 * d, d + 1});
  return b;
}

Batch ParticleLoader::prepare(std::size_t number, Preprocessor& preprocessor) {
  const std::size_t begin = number * options_.batch, end = std::min(order_.size(), begin + options_.batch);
  const auto count = static_cast<std::int64_t>(end - begin);
  const std::int64_t d = options_.grid.box;
  Batch b = empty_batch(count);
  auto* spectra = reinterpret_cast<std::complex<float>*>(b.spectra.data_ptr<c10::complex<float>>());
  auto* ctf = b.ctf.data_ptr<float>();
  auto* images = options_.with_images ? b.images.data_ptr<float>() : nullptr;
  const std::size_t half = optics::half_size(static_cast<int>(d));
  announce(begin, end);
  std::int64_t kept = 0;
  for (std::size_t k = begin; k < end; ++k) {
    const auto i = order_[k];
    float* narrow = ctf + half * kept;
    if (!preprocessor.load(*reader_, i, spectra + half * kept, options_.with_wide_ctf ? nullptr : narrow,
                           images ? images + d * d * kept : nullptr, options_.cache.get())) {
      leave_out(i);
      continue;
    }
    if (options_.with_wide_ctf)
      preprocessor.wide_ctf(
          i, b.wide_ctf.data_ptr<float>() + optics::half_size(static_cast<int>(2 * d)) * kept, narrow);
    const auto& p = set_.particles[i];
    const auto& placement = preprocessor.placement(p.optics_group);
    const auto rotation = placement.rotation(p.rotation);
    const auto shift = placement.shift(p.shift);
    b.indices.data_ptr<std::int64_t>()[kept] = i;
    b.groups.data_ptr<std::int64_t>()[kept] = p.optics_group;
    std::copy(rotation.begin(), rotation.end(), b.rotations.data_ptr<float>() + 9 * kept);
    std::copy(shift.begin(), shift.end(), b.shifts.data_ptr<float>() + 2 * kept);
    ++kept;
  }
  if (kept < count)
    for (auto* t :
         {&b.indices, &b.images, &b.spectra, &b.ctf, &b.wide_ctf, &b.rotations, &b.shifts, &b.groups})
      if (t->defined()) *t = t->narrow(0, 0, kept);
  return b;
}

std::vector<std::uint32_t> shuffled_order(std::vector<std::uint32_t> indices, std::uint64_t seed,
                                          std::uint64_t epoch, std::size_t block) {
  Philox random(seed, kOrderStream + epoch);
  block = std::max<std::size_t>(1, block);
  const std::size_t blocks = (indices.size() + block - 1) / block;
  std::vector<std::size_t> order(blocks);
  std::iota(order.begin(), order.end(), 0);
  shuffle(order.begin(), order.end(), random);
  std::vector<std::uint32_t> out;
  out.reserve(indices.size());
  for (const auto b : order)
    out.insert(out.end(), indices.begin() + static_cast<std::ptrdiff_t>(b * block),
               indices.begin() + static_cast<std::ptrdiff_t>(std::min(indices.size(), (b + 1) * block)));
  const std::size_t window = block * kWindowBlocks;
  for (std::size_t at = 0; at < out.size(); at += window)
    shuffle(out.begin() + static_cast<std::ptrdiff_t>(at),
            out.begin() + static_cast<std::ptrdiff_t>(std::min(out.size(), at + window)), random);
  return out;
}

}  // namespace cryoscape::particles
