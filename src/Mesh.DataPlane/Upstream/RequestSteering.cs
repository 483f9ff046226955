using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Upstream;

/// <summary>What a pick is told of its request.</summary>
internal static class RequestSteering
{
    /// <summary>Where the pick is not free: only sessions and clusters of consistent hashing look at the request again.</summary>
    public static void Steer(AttemptInput input)
    {
        if (input.Exchange is { OverrideHost: { } session } exchange)
        {
            input.Pick = input.Pick with { OverrideHost = session, OverrideHostIsStrict = exchange.OverrideHostMissing is not null };
        }
        else if (input.Decision.Cluster!.Current.Policy?.OverrideHostHeaders is { } headers)
        {
            input.Pick = OverrideHost.Apply(headers, input.Pick, View(input.Host, input.Request));
        }

        if (RequestHash.PoliciesOf(input.Decision) is { } policies)
        {
            input.Pick = RequestHash.Apply(policies, input.Pick, View(input.Host, input.Request), input.Request, out var setCookie);
            input.SetCookie = setCookie;
        }
    }

    /// <summary>The request as matchers see it.</summary>
    public static RequestView View(HostEntry host, HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        return new RequestView(uri.PathAndQuery, request.Method.Method, host.Authority, RequestScheme.Of(uri), HttpRequestHeaderReader.Instance, request);
    }
}
