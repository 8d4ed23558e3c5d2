#pragma once

#include "gihflow/model/model.hpp"

namespace gihflow::infinite {

/// Number of windows, d to the number of lags that the model uses.
Index windows_of(const Model& model);

/// How queries are cut into panels of packs, chains into tiles and ranges, see infinite.cpp.
struct Cut {
  Index all_packs, packs, panels;  ///< packs of all queries, packs of a panel, panels
  Index at_once;                   ///< panels that are held in memory together
  Index tiles, ranges;             ///< tiles of all chains, ranges of tiles

  Cut(Index windows, Index chains);
};

}  // namespace gihflow::infinite
