using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>The filter's configuration for connections, compiled.</summary>
/// <param name="Authorizer">Who is asked.</param>
/// <param name="Prefix">Stands in the names of its counters.</param>
/// <param name="FailureModeAllow">Whoever cannot be asked about passes.</param>
/// <param name="Enabled">Which connections are asked about; <see langword="null"/> for all.</param>
/// <param name="Context">What is told.</param>
internal sealed record NetworkExtAuthzSettings(GrpcAuthorizer Authorizer, string Prefix, bool FailureModeAllow, MetadataMatcher? Enabled, ContextSettings Context);
