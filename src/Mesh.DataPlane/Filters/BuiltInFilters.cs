using Mesh.DataPlane.Filters.Buffer;
using Mesh.DataPlane.Filters.Cors;
using Mesh.DataPlane.Filters.ExtAuthz;
using Mesh.DataPlane.Filters.Fault;
using Mesh.DataPlane.Filters.HeaderMutation;
using Mesh.DataPlane.Filters.JwtAuthn;
using Mesh.DataPlane.Filters.LocalRateLimit;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Filters.StatefulSession;

namespace Mesh.DataPlane.Filters;

/// <summary>The filters that every process knows, beside the router. Another one needs its folder and a line here.</summary>
internal static class BuiltInFilters
{
    public static IReadOnlyList<FilterType> All { get; } = Create(ignoresPathCase: false);

    /// <param name="ignoresPathCase">Policies read paths as ASP.NET Core's routing does (<see cref="MeshServerOptions.CaseInsensitivePaths"/>).</param>
    public static IReadOnlyList<FilterType> Create(bool ignoresPathCase) =>
    [
        new FaultFilterType(),
        new CorsFilterType(),
        new HeaderMutationFilterType(),
        new BufferFilterType(),
        new LocalRateLimitFilterType(),
        new StatefulSessionFilterType(),
        new JwtAuthnFilterType(),
        new RbacFilterType(ignoresPathCase),
        new ExtAuthzFilterType(),
    ];
}
