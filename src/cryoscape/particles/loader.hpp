#pragma once
#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <variant>
#include <vector>

#include "cryoscape/particles/batch.hpp"
#include "cryoscape/particles/image_cache.hpp"
#include "cryoscape/particles/preprocessing.hpp"

namespace cryoscape::particles {

struct LoaderOptions {
  ImageGrid grid;
  int batch = 64;
  int workers = 2;
  int queue = 4;                            ///< batches prepared ahead
  bool with_images = false;                 ///< also the real-space images
  bool with_wide_ctf = false;               ///< also the CTFs in a box of twice the size
  std::shared_ptr<io::StackReader> reader;  ///< of the stacks; null: one of the loader's own
  std::shared_ptr<ImageCache> cache;        ///< of this set on this grid; null: none
};

/// Reads particles in a given order and hands them out in batches, prepared ahead by worker threads into a
/// bounded queue. Batches come in order and do not depend on the number of workers. Particles whose pixels,
/// or those of their background, are constant or not finite are left out and reported once by row. An error
/// of a worker, want of memory included, is thrown by the next() that its batch was for. One consumer.
class ParticleLoader {
 public:
  ParticleLoader(const ParticleSet& set, LoaderOptions options);
  ~ParticleLoader();
  ParticleLoader(const ParticleLoader&) = delete;
  ParticleLoader& operator=(const ParticleLoader&) = delete;

  /// Begins a pass; an unfinished one is abandoned. Throws Error if a stack that the pass reads was changed
  /// or replaced since an earlier one.
  void start(std::vector<std::uint32_t> order);
  /// The next batch; false at the end. A batch may be empty if all of its particles were left out.
  bool next(Batch& batch);
  /// A batch of `rows` particles whose values are not set.
  Batch empty_batch(std::int64_t rows) const;
  /// Particles left out so far (indices into the set), also of batches that are prepared but not handed out
  /// yet.
  std::set<std::uint32_t> unusable() const;

 private:
  using Result = std::variant<Batch, std::exception_ptr>;

  std::size_t queue() const { return static_cast<std::size_t>(std::max(1, options_.queue)); }
  std::optional<Result>& slot(std::size_t batch) { return ready_[batch % ready_.size()]; }
  void work();
  void check_stacks();
  Batch prepare(std::size_t number, Preprocessor& preprocessor);
  void announce(std::size_t begin, std::size_t end);
  void leave_out(std::uint32_t particle);
  void stop();

  const ParticleSet& set_;
  LoaderOptions options_;
  const Preprocessor preprocessor_;  ///< copied by every worker
  std::shared_ptr<io::StackReader> reader_;
  std::vector<std::uint32_t> order_;
  std::size_t batches_ = 0, claimed_ = 0, delivered_ = 0;
  std::vector<std::optional<Result>> ready_;  ///< by batch, modulo the queue's length
  bool stopping_ = false;                     ///< claim no further batches
  mutable std::mutex mutex_;
  std::condition_variable produced_, consumed_;
  std::vector<std::thread> threads_;
  std::set<std::uint32_t> unusable_;
};

/// A reproducible order for one epoch: blocks of neighbours are shuffled, then particles within windows of 64
/// blocks, so that reads stay near each other on disk while every batch mixes many blocks. `block` 1 or less
/// is a plain shuffle.
std::vector<std::uint32_t> shuffled_order(std::vector<std::uint32_t> indices, std::uint64_t seed,
                                          std::uint64_t epoch, std::size_t block);

}  // namespace cryoscape::particles
