using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Routing;

/// <summary>What a route asks of a request beside its path; every condition has to hold. Equal conditions of a route configuration are one object.</summary>
internal sealed class RouteConditions(
    HeaderMatcher[] headers,
    QueryParameterMatcher[] queryParameters,
    CookieMatcher[] cookies,
    MetadataMatcher[] metadata,
    bool grpcOnly,
    Fraction? fraction)
{
    private static readonly HeaderName ContentType = new("content-type");

    /// <summary>No condition: the path decides.</summary>
    public static RouteConditions None { get; } = new([], [], [], [], false, null);

    /// <summary>Each of them in words.</summary>
    public IEnumerable<string> Words
        => headers.Select(h => h.ToString()!)
            .Concat(queryParameters.Select(q => q.ToString()))
            .Concat(cookies.Select(c => c.ToString()))
            .Concat(metadata.Select(m => m.ToString()))
            .Concat(grpcOnly ? ["a gRPC request"] : [])
            .Concat(fraction is { } share ? [share.ToString()] : []);

    public bool IsMatch(scoped in RequestView request, ulong draw)
    {
        foreach (var header in headers)
        {
            if (!header.IsMatch(request))
            {
                return false;
            }
        }

        foreach (var parameter in queryParameters)
        {
            if (!parameter.IsMatch(request))
            {
                return false;
            }
        }

        foreach (var cookie in cookies)
        {
            if (!cookie.IsMatch(request))
            {
                return false;
            }
        }

        foreach (var value in metadata)
        {
            if (!value.IsMatch(request.Exchange))
            {
                return false;
            }
        }

        return (!grpcOnly || IsGrpc(request)) && (fraction is not { } share || share.Includes(draw));
    }

    /// <summary>The first condition that does not hold, in words; <see langword="null"/> when all do.</summary>
    public string? FirstMismatch(scoped in RequestView request, ulong draw)
    {
        foreach (var header in headers)
        {
            if (!header.IsMatch(request))
            {
                return header.ToString();
            }
        }

        foreach (var parameter in queryParameters)
        {
            if (!parameter.IsMatch(request))
            {
                return parameter.ToString();
            }
        }

        foreach (var cookie in cookies)
        {
            if (!cookie.IsMatch(request))
            {
                return cookie.ToString();
            }
        }

        foreach (var value in metadata)
        {
            if (!value.IsMatch(request.Exchange))
            {
                return value.ToString();
            }
        }

        if (grpcOnly && !IsGrpc(request))
        {
            return "a gRPC request";
        }

        return fraction is { } share && !share.Includes(draw) ? $"{share}" : null;
    }

    // Envoy: application/grpc, alone or followed by "+" or ";".
    private static bool IsGrpc(scoped in RequestView request)
        => request.TryGetHeader(ContentType, out var value)
            && value.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            && (value.Length == 16 || value[16] is '+' or ';');
}
