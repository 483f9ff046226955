using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;
using Percent = Envoy.Type.V3.Percent;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Compiles what a connection manager says of traces and request ids.</summary>
internal static class TracingCompiler
{
    // Not among the messages that are published with the others.
    private const string UuidExtension = "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig";

    private const uint PackTraceReason = 1;
    private const uint UseForSampling = 2;

    public static TracingSettings Compile(HttpConnectionManager manager, string path, ICollection<string> notes)
    {
        var settings = TracingSettings.Default with { RequestIds = Rules(manager, path) };
        if (manager.Tracing is not { } tracing)
        {
            return settings;
        }

        path += ".tracing";
        if (tracing.SpawnUpstreamSpan == true)
        {
            notes.Add($"{path}.spawn_upstream_span is not applied: attempts are events of the request's one span");
        }

        if (tracing.UpstreamOperation.Length > 0)
        {
            notes.Add($"{path}.upstream_operation is not applied: attempts are events of the request's one span");
        }

        return settings with
        {
            Sampling = new TraceSampling(Share(tracing.ClientSampling), Share(tracing.RandomSampling), Share(tracing.OverallSampling)),
            Provider = TraceProviderCompiler.Compile(tracing.Provider, path + ".provider", notes),
            CustomTags = CustomTagCompiler.Compile(tracing.CustomTags, path + ".custom_tags", notes),
            MaxPathLength = (int)Math.Min(tracing.MaxPathTagLength ?? TracingSettings.DefaultMaxPathLength, int.MaxValue),
            IsVerbose = tracing.Verbose,
            Operation = tracing.Operation.Length > 0 ? HeaderMutationsCompiler.Format(tracing.Operation, omitEmptyValues: true, path + ".operation", notes) : null,
            KeepsContext = tracing.NoContextPropagation,
        };
    }

    private static uint Share(Percent? percent) => percent is null ? TraceSampling.All : (uint)Math.Round(Math.Clamp(percent.Value, 0, 100) * (TraceSampling.All / 100));

    private static RequestIdRules Rules(HttpConnectionManager manager, string path)
    {
        var rules = RequestIdRules.Default with { Generates = manager.GenerateRequestId ?? true };
        if (manager.RequestIdExtension?.TypedConfig is not { } extension)
        {
            return rules;
        }

        path += ".request_id_extension.typed_config";
        if (extension.TypeUrl[(extension.TypeUrl.LastIndexOf('/') + 1)..] != UuidExtension)
        {
            throw new ResourceRejectedException(path, $"{extension.TypeUrl} is not supported: request ids are Envoy's UUIDs ({UuidExtension})");
        }

        try
        {
            return rules with
            {
                TellsReason = ReadFlag(extension.Value, PackTraceReason) ?? true,
                DecidesSampling = ReadFlag(extension.Value, UseForSampling) ?? true,
            };
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ResourceRejectedException(path, e.Message);
        }
    }

    // A BoolValue is a message that may be empty.
    private static bool? ReadFlag(ByteString message, uint field)
    {
        bool? flag = null;
        var input = message.CreateCodedInput();
        while (input.ReadTag() is not 0 and var tag)
        {
            if (tag == ((field << 3) | 2))
            {
                flag = Google.Protobuf.WellKnownTypes.BoolValue.Parser.ParseFrom(input.ReadBytes()).Value;
            }
            else
            {
                input.SkipLastField();
            }
        }

        return flag;
    }
}
