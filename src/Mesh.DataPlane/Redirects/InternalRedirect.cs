using Mesh.DataPlane.Hosts;

namespace Mesh.DataPlane.Redirects;

/// <summary>The request that follows a redirect.</summary>
/// <param name="Host">The host that it goes to.</param>
/// <param name="Request">The message: the caller's stays as it is.</param>
/// <param name="Response">The redirect, which is used up.</param>
internal sealed record InternalRedirect(HostEntry Host, HttpRequestMessage Request, HttpResponseMessage Response);
