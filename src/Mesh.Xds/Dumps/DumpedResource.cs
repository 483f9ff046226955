using Envoy.Admin.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Dumps;

/// <summary>A resource as a dump shows it, whoever tells of it: who received it, or who sent it.</summary>
/// <param name="TypeUrl">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="Version">The version in use.</param>
/// <param name="Body">The message, without what nobody may read; <see langword="null"/> when there is none.</param>
/// <param name="Status">What has become of it.</param>
internal sealed record DumpedResource(string TypeUrl, string Name, string Version, Any? Body, ClientResourceStatus Status)
{
    public DateTimeOffset? LastUpdated { get; init; }

    /// <summary>What was wrong with the last version; <see langword="null"/> when nothing was.</summary>
    public UpdateFailureState? Error { get; init; }

    public Timestamp? LastUpdatedTime => LastUpdated is { } time ? Timestamp.FromDateTimeOffset(time) : null;

    /// <summary>A resource without a body shows its name all the same: the message has it, where the entry has no field for it.</summary>
    public Any? BodyOrName => Body ?? TypeUrl switch
    {
        TypeUrls.RouteConfiguration => Any.Pack(new Envoy.Config.Route.V3.RouteConfiguration { Name = Name }),
        TypeUrls.Cluster => Any.Pack(new Envoy.Config.Cluster.V3.Cluster { Name = Name }),
        TypeUrls.ClusterLoadAssignment => Any.Pack(new Envoy.Config.Endpoint.V3.ClusterLoadAssignment { ClusterName = Name }),
        _ => null,
    };
}
