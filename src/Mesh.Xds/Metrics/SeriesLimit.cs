namespace Mesh.Xds.Metrics;

/// <summary>How many label sets a metric may have: of the whole process, whichever part of it makes the registry first.</summary>
internal sealed record SeriesLimit(int MaxCells);
