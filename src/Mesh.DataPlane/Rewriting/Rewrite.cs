namespace Mesh.DataPlane.Rewriting;

/// <summary>What a route changes of where a request is addressed.</summary>
/// <param name="Path">Another path.</param>
/// <param name="Host">Another authority.</param>
/// <param name="AppendForwardedHost">The authority that is replaced is added to <c>x-forwarded-host</c>.</param>
internal sealed record Rewrite(PathRewrite? Path, HostRewrite? Host, bool AppendForwardedHost);
