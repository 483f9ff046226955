using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Rules that several kinds share.</summary>
internal static class FieldRules
{
    public static void Port(uint port, string path, ValidationContext context)
    {
        if (port is 0 or > 65535)
        {
            context.Error(path, $"must be a port from 1 to 65535, not {port}.");
        }
    }

    /// <summary>A percentage of 0 to 100.</summary>
    public static void Percentage(Percent? percent, string path, ValidationContext context)
    {
        if (percent is not null && percent.Value is not (>= 0 and <= 100))
        {
            context.Error($"{path}.value", $"must be from 0 to 100, not {percent.Value}.");
        }
    }

    /// <summary>At least a millisecond, and no finer.</summary>
    public static void AtLeastAMillisecond(Duration? duration, string path, ValidationContext context, bool zeroDisables = false)
    {
        if (duration is null || (zeroDisables && duration is { Seconds: 0, Nanos: 0 }))
        {
            return;
        }

        if (duration.Seconds < 0 || duration.Nanos < 0 || (duration.Seconds == 0 && duration.Nanos < 1_000_000))
        {
            context.Error(path, "must be at least 1ms.");
        }
        else if (duration.Nanos % 1_000_000 != 0)
        {
            context.Error(path, "must be whole milliseconds.");
        }
    }

    /// <summary>Istio's <c>exportTo</c>: <c>.</c>, <c>*</c>, <c>~</c> alone, or namespaces.</summary>
    public static void ExportTo(IReadOnlyList<string> exportTo, ValidationContext context, string path = "exportTo")
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < exportTo.Count; i++)
        {
            var target = exportTo[i];
            if (target is not ("." or "*" or "~") && !DnsName.IsLowerLabel(target))
            {
                context.Error($"{path}[{i}]", $"must be \".\" (this namespace), \"*\" (all), \"~\" (none) or a namespace, not \"{target}\".");
            }
            else if (!seen.Add(target))
            {
                context.Error($"{path}[{i}]", $"\"{target}\" is given twice: keep one.");
            }
            else if (target is "*" or "~" && exportTo.Count > 1)
            {
                context.Error($"{path}[{i}]", $"\"{target}\" stands alone: remove it or the others.");
            }
        }
    }

    public static bool IsHeaderName(string name)
        => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));
}
