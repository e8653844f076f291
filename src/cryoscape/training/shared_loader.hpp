#pragma once
#include <cstdint>
#include <vector>

#include "cryoscape/latent/posterior.hpp"
#include "cryoscape/particles/loader.hpp"
#include "cryoscape/training/process_group.hpp"

namespace cryoscape::training {

/// Positions [begin, begin + count) of a list.
struct Range {
  std::size_t begin = 0, count = 0;
};
/// What a process takes of `count` things that are divided in order; counts differ by one at most, and never
/// grow as `count` falls.
Range share_of(std::size_t count, int rank, int size);

/// This process's rows of one batch.
struct SharedBatch {
  particles::Batch own;       ///< may be empty
  latent::BatchPart part;     ///< where they are among the usable particles of the batch
  std::int64_t consumed = 0;  ///< entries of the order behind the whole batch
  int interrupt = 0;          ///< a signal that any of the processes received, the same on all; 0: none
};

/// A ParticleLoader whose batches are divided among processes: every process reads its own rows only.
class SharedLoader {
 public:
  /// `options.batch` is the size of a whole batch, at least the number of processes.
  SharedLoader(const particles::ParticleSet& set, const particles::LoaderOptions& options,
               ProcessGroup& group);

  /// Begins a pass in the same order on every process; an unfinished one is abandoned.
  void start(std::vector<std::uint32_t> order);
  /// The next batch; false at the end. An operation of the group, as are the errors: see ParticleLoader.
  bool next(SharedBatch& batch);

 private:
  void agree(SharedBatch& batch);

  ProcessGroup& group_;
  std::size_t batch_;
  particles::ParticleLoader loader_;
  std::size_t total_ = 0, done_ = 0;  ///< entries of the order
};

}  // namespace cryoscape::training
