#pragma once

#include "gihflow/model/model.hpp"

namespace gihflow::infinite {

/// Number of windows, d to the number of lags that the model uses.
Index windows_of(const Model& model);

/// How queries are cut into strips and panels, chains into tiles and ranges, see infinite.cpp.
struct Cut {
  Index all_strips, strips, panels;  ///< strips of all queries, strips of a panel, panels
  Index at_once;                     ///< panels that are held in memory together
  Index tile, tiles, ranges;         ///< chains of a tile, tiles, ranges of tiles

  Cut(Index windows, Index states, Index chains);
};

}  // namespace gihflow::infinite
