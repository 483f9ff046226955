using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Debug;

/// <summary>What people call the kinds of resources.</summary>
internal static class TypeNames
{
    public static string Of(string typeUrl) => typeUrl switch
    {
        TypeUrls.Cluster => "CDS",
        TypeUrls.ClusterLoadAssignment => "EDS",
        TypeUrls.Listener => "LDS",
        TypeUrls.RouteConfiguration => "RDS",
        TypeUrls.Secret => "SDS",
        TypeUrls.Prefix + "envoy.config.core.v3.TypedExtensionConfig" => "ECDS",
        _ => typeUrl[(typeUrl.LastIndexOfAny(['/', '.']) + 1)..],
    };
}
