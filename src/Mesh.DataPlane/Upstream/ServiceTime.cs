using Mesh.DataPlane.Headers;

namespace Mesh.DataPlane.Upstream;

/// <summary>Envoy's <c>x-envoy-upstream-service-time</c>: how long the upstream took to answer, in milliseconds, all tries and waits between them included.</summary>
internal static class ServiceTime
{
    public const string Header = "x-envoy-upstream-service-time";

    /// <param name="response">The response of an upstream; what stands there from another proxy is that one's.</param>
    /// <param name="elapsed">Since the request was there.</param>
    public static void Tell(HttpResponseMessage response, TimeSpan elapsed)
    {
        if (response.Headers.NonValidated.Contains(Header))
        {
            response.Headers.Remove(Header);
        }

        response.Headers.TryAddWithoutValidation(Header, HeaderNumbers.Text((long)elapsed.TotalMilliseconds));
    }
}
