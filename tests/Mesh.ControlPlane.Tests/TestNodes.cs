using System.Net;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests;

/// <summary>Nodes as clients introduce themselves.</summary>
internal static class TestNodes
{
    private static long _connections;

    /// <param name="id">The node id.</param>
    /// <param name="json">The metadata as JSON.</param>
    /// <param name="userAgent">The user agent.</param>
    public static Node Of(string id, string json = "{}", string userAgent = "mesh")
        => new() { Id = id, UserAgentName = userAgent, Metadata = Struct.Parser.ParseJson(json) };

    public static Node Workload(string id, string app, string address, string more = "")
        => Of(id, $$$"""{"NAMESPACE":"default","WORKLOAD_NAME":"{{{app}}}","LABELS":{"app":"{{{app}}}"},"MESH_ADDRESSES":{"http":"{{{address}}}"}{{{more}}}}""");

    public static AdsConnectionInfo Connection(string remote = "127.0.0.1:5000")
        => new(Interlocked.Increment(ref _connections), IPEndPoint.Parse(remote), false);
}
