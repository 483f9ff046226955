using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;
using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Config.Validation;

namespace Mesh.ControlPlane.Tests.Reading;

/// <summary>docs/features.md says of every field of a MeshConfig what becomes of it, and what it says is what is done.</summary>
public partial class MeshConfigFieldsTests
{
    private static readonly Dictionary<string, string> Table = ReadTable();

    [Fact]
    public void Every_field_is_in_the_table()
    {
        var missing = new List<string>();
        Cover(MeshConfig.Descriptor, "", missing);
        Cover(MeshNetworks.Descriptor, "MeshNetworks.", missing);

        missing.ShouldBeEmpty();
        Table.Count.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Every_line_of_the_table_is_about_a_field_and_true()
    {
        foreach (var (path, state) in Table)
        {
            var networks = path.StartsWith("MeshNetworks.", StringComparison.Ordinal);
            var honoured = networks ? HonouredFields.MeshNetworks : HonouredFields.MeshConfig;
            var message = networks ? MeshNetworks.Descriptor : MeshConfig.Descriptor;
            HonouredFieldSet? at = honoured;
            foreach (var name in path.Replace("MeshNetworks.", "").Replace("[]", "").Split('.'))
            {
                var field = message.Fields.InDeclarationOrder().SingleOrDefault(f => f.JsonName == name).ShouldNotBeNull($"{path}: {name} is no field of {message.Name}");
                message = field.FieldType == FieldType.Message ? field.MessageType : message;
                at = at is { All: true } ? at : at?.Find(name);
            }

            (at is not null).ShouldBe(state is "honoured" or "translated", $"{path} is said to be {state}");
        }
    }

    private static void Cover(MessageDescriptor message, string prefix, List<string> missing)
    {
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            var path = prefix + field.JsonName;
            if (Table.ContainsKey(path) && field.JsonName != "extensionProviders")
            {
                continue;
            }

            if (field.FieldType == FieldType.Message && !field.IsMap && field.MessageType.File.Package.StartsWith("istio.", StringComparison.Ordinal))
            {
                Cover(field.MessageType, path + (field.IsRepeated ? "[]." : "."), missing);
            }
            else
            {
                missing.Add(path);
            }
        }
    }

    private static Dictionary<string, string> ReadTable()
    {
        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "features.md"));
        var section = lines.SkipWhile(line => line != "## MeshConfig").Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal));
        var table = new Dictionary<string, string>();
        foreach (var cells in section.Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|')))
        {
            var state = State().Match(cells[2].Trim()).Value;
            state.ShouldNotBeEmpty(cells[1]);
            foreach (Match name in Name().Matches(cells[1]))
            {
                table.TryAdd(name.Groups[1].Value, state).ShouldBeTrue($"{name.Groups[1].Value} is there twice");
            }
        }

        return table;
    }

    [GeneratedRegex("^(honoured|translated|told|refused)")]
    private static partial Regex State();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Name();
}
