using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Routing;

/// <summary>All conditions of a route; every one has to hold.</summary>
internal sealed record RouteMatch(
    PathMatch Path,
    HeaderMatcher[] Headers,
    QueryParameterMatcher[] QueryParameters,
    CookieMatcher[] Cookies,
    bool GrpcOnly,
    Fraction? Fraction)
{
    private static readonly HeaderName ContentType = new("content-type");

    /// <summary>The conditions beside the path, which the index has already decided.</summary>
    public bool IsMatchBesidePath(scoped in RequestView request, ulong draw)
    {
        foreach (var header in Headers)
        {
            if (!header.IsMatch(request))
            {
                return false;
            }
        }

        foreach (var parameter in QueryParameters)
        {
            if (!parameter.IsMatch(request))
            {
                return false;
            }
        }

        foreach (var cookie in Cookies)
        {
            if (!cookie.IsMatch(request))
            {
                return false;
            }
        }

        return (!GrpcOnly || IsGrpc(request)) && (Fraction is not { } fraction || fraction.Includes(draw));
    }

    /// <summary>The first condition that does not hold, in words; <see langword="null"/> when all do.</summary>
    public string? FirstMismatch(scoped in RequestView request, ulong draw)
    {
        if (!Path.IsMatch(request.Path))
        {
            return $"not: {Path}";
        }

        foreach (var header in Headers)
        {
            if (!header.IsMatch(request))
            {
                return $"not: {header}";
            }
        }

        foreach (var parameter in QueryParameters)
        {
            if (!parameter.IsMatch(request))
            {
                return $"not: {parameter}";
            }
        }

        foreach (var cookie in Cookies)
        {
            if (!cookie.IsMatch(request))
            {
                return $"not: {cookie}";
            }
        }

        if (GrpcOnly && !IsGrpc(request))
        {
            return "not: a gRPC request";
        }

        return Fraction is { } fraction && !fraction.Includes(draw) ? $"not among {fraction}" : null;
    }

    /// <summary>Envoy: <c>application/grpc</c>, alone or followed by <c>+</c> or <c>;</c>.</summary>
    public static bool IsGrpc(scoped in RequestView request)
        => request.TryGetHeader(ContentType, out var value)
            && value.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            && (value.Length == 16 || value[16] is '+' or ';');
}
