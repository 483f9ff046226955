using System.Text.Json;
using Google.Protobuf;
using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Formatting;

/// <summary>
/// The commands that tell of filter state. There are the two objects of it that Istio's proxies keep, of who is at either end; whatever else a format names
/// nobody has left here, which Envoy writes as what is not there.
/// </summary>
internal static class FilterStateCommands
{
    public static IEnumerable<(string Name, FormatCommand Command)> All =>
    [
        ("FILTER_STATE", new(FormatArgument.Required, LengthAllowed: true, State) { IsOfEnd = true, CreateJson = StateInJson }),
        ("UPSTREAM_FILTER_STATE", new(FormatArgument.Required, LengthAllowed: true, NoState) { IsOfEnd = true }),
        ("PER_REQUEST_STATE", new(FormatArgument.Required, LengthAllowed: true, _ => (in FormatContext _) => null) { IsOfEnd = true }),
    ];

    private static FormatValue State(string argument)
    {
        var (key, field) = Read(argument);
        return CelPeers.Find(key) is not { } peer ? (in FormatContext _) => null
            : field is null ? (in FormatContext c) => peer(c) is { } found ? JsonFormatter.Default.Format(found.ToNode()) : null
            : (in FormatContext c) => CelPeers.Member(peer(c), field);
    }

    private static FormatWrite StateInJson(string argument)
    {
        var (key, field) = Read(argument);
        if (CelPeers.Find(key) is { } peer && field is null)
        {
            return (in FormatContext c, Utf8Text text) =>
            {
                if (peer(c) is not { } found)
                {
                    return false;
                }

                text.Append(JsonFormatter.Default.Format(found.ToNode()));
                return true;
            };
        }

        var value = State(argument);
        return (in FormatContext c, Utf8Text text) =>
        {
            if (value(c) is not { } found)
            {
                return false;
            }

            text.Append((byte)'"');
            text.AppendJson(found);
            text.Append((byte)'"');
            return true;
        };
    }

    private static FormatValue NoState(string argument)
    {
        Read(argument);
        return (in FormatContext _) => null;
    }

    // KEY, KEY:PLAIN, KEY:TYPED, KEY:FIELD:name.
    private static (string Key, string? Field) Read(string argument)
    {
        var parts = argument.Split(':', 3);
        var how = parts.Length > 1 ? parts[1] : "TYPED";
        var isField = how == "FIELD";
        return parts[0].Length == 0 || how is not ("PLAIN" or "TYPED" or "FIELD") || isField != (parts.Length == 3 && parts[2].Length > 0)
            ? throw new FormatException("the argument is KEY, then PLAIN, TYPED or FIELD after a colon, and after FIELD the field's name")
            : how == "PLAIN" && CelPeers.Find(parts[0]) is not null ? throw new FormatException($"{parts[0]} is told by FIELD and as TYPED, and not as PLAIN")
            : isField && CelPeers.Find(parts[0]) is not null && !CelPeers.Names.Contains(parts[2]) ? throw new FormatException($"{parts[0]} has {string.Join(", ", CelPeers.Names)}, and no '{parts[2]}'")
            : (parts[0], isField ? parts[2] : null);
    }
}
