#include "cryoscape/training/shared_loader.hpp"

#include <algorithm>

#include "cryoscape/util/interrupt.hpp"

namespace cryoscape::training {
namespace {

particles::LoaderOptions own_options(particles::LoaderOptions options, const ProcessGroup& group) {
  options.batch =
      static_cast<int>(share_of(static_cast<std::size_t>(options.batch), group.rank(), group.size()).count);
  return options;
}

}  // namespace

Range share_of(std::size_t count, int rank, int size) {
  const auto r = static_cast<std::size_t>(rank), n = static_cast<std::size_t>(size);
  const std::size_t each = count / n, more = count % n;
  return {r * each + std::min(r, more), each + (r < more ? 1 : 0)};
}

SharedLoader::SharedLoader(const particles::ParticleSet& set, const particles::LoaderOptions& options,
                           ProcessGroup& group)
    : group_(group),
      batch_(static_cast<std::size_t>(options.batch)),
      loader_(set, own_options(options, group)) {}

void SharedLoader::start(std::vector<std::uint32_t> order) {
  total_ = order.size(), done_ = 0;
  if (group_.alone()) return loader_.start(std::move(order));
  std::vector<std::uint32_t> own;
  for (std::size_t at = 0; at < total_; at += batch_) {
    const auto share = share_of(std::min(batch_, total_ - at), group_.rank(), group_.size());
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(at + share.begin);
    own.insert(own.end(), begin, begin + static_cast<std::ptrdiff_t>(share.count));
  }
  loader_.start(std::move(own));
}

bool SharedLoader::next(SharedBatch& batch) {
  if (done_ == total_) return false;
  const std::size_t count = std::min(batch_, total_ - done_);
  done_ += count;
  batch.consumed = static_cast<std::int64_t>(count);
  if (!group_.alone() && share_of(count, group_.rank(), group_.size()).count == 0)
    batch.own = loader_.empty_batch(0);
  else
    loader_.next(batch.own);
  agree(batch);
  return true;
}

void SharedLoader::agree(SharedBatch& batch) {
  batch.part = {0, batch.own.size()};
  batch.interrupt = pending_interrupt();
  if (group_.alone()) return;
  const auto all = group_.gather({batch.own.size(), batch.interrupt});
  batch.part.whole = 0;
  for (int r = 0; r < group_.size(); ++r) {
    if (r == group_.rank()) batch.part.first = batch.part.whole;
    batch.part.whole += all[2 * r];
    batch.interrupt = std::max(batch.interrupt, static_cast<int>(all[2 * r + 1]));
  }
}

}  // namespace cryoscape::training
