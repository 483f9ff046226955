using Envoy.Service.Auth.V3;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>Who is asked about requests.</summary>
internal interface IAuthorizer
{
    /// <summary>The cluster that is called.</summary>
    string Cluster { get; }

    /// <returns>The answer. Whatever is not one is thrown.</returns>
    Task<CheckResult> CheckAsync(CheckRequest request, HttpExchange exchange, FilterServices services, CancellationToken cancellationToken);
}
