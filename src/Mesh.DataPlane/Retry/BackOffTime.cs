namespace Mesh.DataPlane.Retry;

/// <summary>
/// The clock by which retries wait. The engine's own, but for a mesh under test: there the engine's stands still until the test moves it, and a
/// request that is retried by a default that nobody wrote would hang for ever.
/// </summary>
internal sealed record BackOffTime(TimeProvider Time);
