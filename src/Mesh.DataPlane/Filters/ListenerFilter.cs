namespace Mesh.DataPlane.Filters;

/// <summary>One of a listener's <c>http_filters</c>, decoded.</summary>
/// <param name="Name">The name, by which routes refer to it.</param>
/// <param name="Type">Its kind.</param>
/// <param name="Config">What its kind has read.</param>
/// <param name="Disabled">It runs only where a route enables it.</param>
internal sealed record ListenerFilter(string Name, FilterType Type, object Config, bool Disabled);
