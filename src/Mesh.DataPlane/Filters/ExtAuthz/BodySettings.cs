namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>How much of a request's body the authorizer sees (<c>BufferSettings</c>).</summary>
/// <param name="MaxBytes">The most that is kept and sent.</param>
/// <param name="AllowsPartial">The beginning of a longer body will do; without, it is 413.</param>
/// <param name="AsBytes">It is sent as bytes, and not as text.</param>
internal sealed record BodySettings(int MaxBytes, bool AllowsPartial, bool AsBytes);
