using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>What <c>x-request-id</c> is good for, where that is not what Envoy takes it for anyway.</summary>
internal static class RequestIds
{
    private const string Uuid = "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig";

    /// <summary><c>use_request_id_for_trace_sampling</c>, a BoolValue: <c>false</c> is a message without anything in it.</summary>
    private const int UseForTraceSampling = 2;

    /// <summary>It does not decide whether a request is traced.</summary>
    public static RequestIDExtension NotForSampling { get; } = new() { TypedConfig = new Any { TypeUrl = Uuid, Value = Empty(UseForTraceSampling) } };

    private static ByteString Empty(int field)
    {
        var bytes = new byte[CodedOutputStream.ComputeTagSize(field) + 1];
        var output = new CodedOutputStream(bytes);
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteLength(0);
        output.Flush();
        return ByteString.CopyFrom(bytes);
    }
}
