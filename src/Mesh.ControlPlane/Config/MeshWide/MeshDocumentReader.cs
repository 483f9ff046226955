using Mesh.ControlPlane.Config.Reading;
using Mesh.ControlPlane.Config.Yaml;
using Mesh.K8s.V1;
using Mesh.Xds.Settings;

namespace Mesh.ControlPlane.Config.MeshWide;

/// <summary>
/// Reads the settings of a mesh in the forms that people have them in: a MeshConfig by itself, in an IstioOperator, in the ConfigMap <c>istio</c>.
/// Whatever the form, fields, defaults and diagnostics are the same.
/// </summary>
internal sealed class MeshDocumentReader(
    ConfigReaderOptions options, string file, YamlDocument document, IReadOnlyList<YamlProblem> yamlProblems, string prefix, DateTimeOffset now)
{
    /// <summary>Where Istio keeps them.</summary>
    public const string Namespace = "istio-system";

    private const string BareName = "mesh";
    private const string MapName = "istio";
    private const string OperatorGroup = "install.istio.io/";

    private static readonly string[] Envelope = ["apiVersion", "kind", "metadata", "spec", "status"];
    private static readonly string[] BareFiles = ["mesh.yaml", "mesh.yml"];

    /// <summary>Whether a document holds settings of the mesh, and in which form.</summary>
    public static MeshDocumentForm? FormOf(YamlNode root, string file)
    {
        if (root is not YamlMapping mapping)
        {
            return null;
        }

        var apiVersion = Text(mapping, "apiVersion");
        switch (Text(mapping, "kind"))
        {
            case "MeshConfig":
                return MeshDocumentForm.MeshConfig;
            case "MeshNetworks":
                return MeshDocumentForm.MeshNetworks;
            case "IstioOperator" when apiVersion?.StartsWith(OperatorGroup, StringComparison.Ordinal) == true:
                return MeshDocumentForm.IstioOperator;
            case "ConfigMap" when apiVersion == "v1" && IsMap(mapping):
                return MeshDocumentForm.ConfigMap;
            case null when IsBare(mapping) && BareFiles.Contains(Path.GetFileName(file), StringComparer.OrdinalIgnoreCase):
                return MeshDocumentForm.Bare;
            default:
                return null;
        }
    }

    public IReadOnlyList<ConfigDocument> Read(MeshDocumentForm form, YamlMapping root)
        => form switch
        {
            MeshDocumentForm.Bare => [ReadBare(root)],
            MeshDocumentForm.ConfigMap => ReadMap(root),
            MeshDocumentForm.IstioOperator => [ReadOperator(root)],
            MeshDocumentForm.MeshNetworks => [ReadEnvelope(root, MeshKinds.MeshNetworks)],
            _ => [ReadEnvelope(root, MeshKinds.MeshConfig)],
        };

    private YamlPath Root => prefix.Length == 0 ? YamlPath.Root : YamlPath.Root.Key("items").Item(int.Parse(prefix.AsSpan(6, prefix.Length - 7), System.Globalization.CultureInfo.InvariantCulture));

    private ConfigDocument ReadBare(YamlMapping root)
    {
        var part = new MeshDocumentPart(options, file, MeshKinds.MeshConfig, Namespace, BareName);
        AddYamlProblems(part);
        return part.ToDocument(SpecReader.Read(part.Context, options, part.Kind, root, Root, root), root.Line, now, Marks(), "");
    }

    private ConfigDocument ReadEnvelope(YamlMapping root, ConfigKind kind)
    {
        var part = new MeshDocumentPart(options, file, kind, Namespace, BareName);
        var metadata = ReadHead(root, part);
        CheckVersion(root, part);
        foreach (var entry in root.Entries.Where(entry => !Envelope.Contains(entry.Key.Value)))
        {
            var hint = FieldNames.Of(kind.Spec).ContainsKey(entry.Key.Value) ? $" Did you mean \"spec.{entry.Key.Value}\"?" : Suggestion.For(entry.Key.Value, Envelope);
            part.Context.UnknownField(entry.Key, Root.Key(entry.Key.Value), $"a {kind.Kind} has no field \"{entry.Key.Value}\".{hint}");
        }

        if (Value(root, "spec") is not { } spec)
        {
            part.Context.Error(root, Root, "spec is missing: it holds the settings.");
            return part.ToDocument(null, root.Line, now, Marks(), "spec");
        }

        return part.ToDocument(
            SpecReader.Read(part.Context, options, kind, spec, Root.Key("spec"), KeyOf(root, "spec")), root.Line, CreatedOr(metadata), Marks(), "spec", metadata);
    }

    private ConfigDocument ReadOperator(YamlMapping root)
    {
        var part = new MeshDocumentPart(options, file, MeshKinds.IstioOperator, Namespace, "istio-operator");
        var metadata = ReadHead(root, part);
        CheckVersion(root, part);
        var spec = Value(root, "spec") as YamlMapping;
        var unread = spec?.Entries.Where(entry => entry.Key.Value != "meshConfig").Select(entry => entry.Key.Value).ToArray() ?? [];
        if (unread.Length > 0)
        {
            part.Context.Add(
                ConfigSeverity.Warning,
                ConfigCodes.NotApplied,
                KeyOf(root, "spec"),
                Root.Key("spec").ToString(),
                $"{string.Join(", ", unread)}: how Istio is installed, which means nothing here; only spec.meshConfig is read, and no profile adds to it.");
        }

        if (spec is null || Value(spec, "meshConfig") is not { } config)
        {
            return part.ToDocument(null, root.Line, now, Marks(), "");
        }

        var at = Root.Key("spec").Key("meshConfig");
        return part.ToDocument(
            SpecReader.Read(part.Context, options, part.Kind, config, at, KeyOf(spec, "meshConfig")), root.Line, CreatedOr(metadata), Marks(), "spec.meshConfig", metadata);
    }

    private IReadOnlyList<ConfigDocument> ReadMap(YamlMapping root)
    {
        var data = (YamlMapping)Value(root, "data")!;
        return
        [
            .. ReadText(root, data, "mesh", new MeshDocumentPart(options, file, MeshKinds.ConfigMap, Namespace, MapName)),
            .. ReadText(root, data, "meshNetworks", new MeshDocumentPart(options, file, MeshKinds.MeshNetworks, Namespace, MapName)),
        ];
    }

    private IEnumerable<ConfigDocument> ReadText(YamlMapping root, YamlMapping data, string name, MeshDocumentPart part)
    {
        if (!data.TryGet(name, out var entry))
        {
            yield break;
        }

        var metadata = ReadHead(root, part);
        var at = Root.Key("data").Key(name);
        if (part.Namespace != Namespace)
        {
            part.Context.Add(
                ConfigSeverity.Warning,
                ConfigCodes.NotApplied,
                KeyOf(root, "metadata"),
                Root.Key("metadata").Key("namespace").ToString(),
                $"the settings of a mesh are read from {Namespace}, not from {part.Namespace}: this ConfigMap is skipped.");
            yield return part.ToDocument(null, root.Line, now, Marks(), "");
            yield break;
        }

        if (entry.Value is not YamlScalar { Type: YamlScalarType.String } text)
        {
            part.Context.Error(entry.Value, at, $"must be a text of YAML, not {entry.Value.Describe()}: begin it with \"{name}: |\".");
            yield return part.ToDocument(null, root.Line, now, Marks(), "");
            yield break;
        }

        var embedded = EmbeddedYaml.Compose(document, entry.Key, text, options.Limits);
        foreach (var problem in (embedded.Document?.Problems ?? []).Concat(embedded.Broken is { } broken ? [broken] : []))
        {
            Tell(part, problem, at);
        }

        var path = at.ToString();
        if (!embedded.HasPlaces)
        {
            part.PutAllAt(text);
        }

        // An empty text is a mesh with the defaults.
        var content = embedded.Document?.Root ?? new YamlMapping(text.Line, text.Column);
        var message = part.Context.HasErrors ? null : SpecReader.Read(part.Context, options, part.Kind, content, at, entry.Key);
        var marks = embedded is { HasPlaces: true, Document: { } inner } ? new SourceMap(inner, "", options.Limits, path) : null;
        yield return part.ToDocument(message, marks is null ? text.Line : root.Line, CreatedOr(metadata), marks, path, metadata);
    }

    private ObjectMeta ReadHead(YamlMapping root, MeshDocumentPart part)
    {
        AddYamlProblems(part);
        if (Value(root, "metadata") is not { } node)
        {
            return new ObjectMeta();
        }

        var metadata = (ObjectMeta)new MessageReader(part.Context).Read(ObjectMeta.Descriptor, node, Root.Key("metadata"));
        part.Name = metadata.Name.Length > 0 ? metadata.Name : part.Name;
        part.Namespace = metadata.Namespace.Length > 0 ? metadata.Namespace : part.Namespace;
        return metadata;
    }

    private void AddYamlProblems(MeshDocumentPart part)
    {
        foreach (var problem in yamlProblems)
        {
            Tell(part, problem, YamlPath.Root);
        }
    }

    private static void Tell(MeshDocumentPart part, YamlProblem problem, YamlPath at)
        => part.Context.Add(
            problem.IsWarning ? ConfigSeverity.Warning : ConfigSeverity.Error,
            ConfigCodes.Schema,
            new YamlScalar("", YamlScalarType.Null, true, problem.Line, problem.Column),
            at.ToString(),
            problem.Message.EndsWith('.') ? problem.Message : problem.Message + ".");

    private void CheckVersion(YamlMapping root, MeshDocumentPart part)
    {
        var wanted = $"{part.Kind.Group}/{part.Kind.Versions[0]}";
        if (Text(root, "apiVersion") != wanted)
        {
            part.Context.Error(
                root.TryGet("apiVersion", out var entry) ? entry.Value : root,
                Root.Key("apiVersion"),
                $"write apiVersion: {wanted} beside kind: {part.Kind.Kind}.");
        }
    }

    private SourceMap Marks() => new(document, prefix, options.Limits);

    private DateTimeOffset CreatedOr(ObjectMeta metadata) => metadata.CreationTimestamp?.ToDateTimeOffset() ?? now;

    // A document that forgot its kind is none: some key has to be a setting.
    private static bool IsBare(YamlMapping root)
        => !root.TryGet("kind", out _)
            && !root.TryGet("apiVersion", out _)
            && root.Entries.Any(entry => FieldNames.Of(MeshKinds.MeshConfig.Spec).ContainsKey(entry.Key.Value));

    private static bool IsMap(YamlMapping root)
        => Value(root, "metadata") is YamlMapping metadata
            && Text(metadata, "name") is { } name
            && (name == MapName || name.StartsWith(MapName + "-", StringComparison.Ordinal))
            && Value(root, "data") is YamlMapping data
            && (data.TryGet("mesh", out _) || data.TryGet("meshNetworks", out _));

    private static YamlNode KeyOf(YamlMapping mapping, string name) => mapping.TryGet(name, out var entry) ? entry.Key : mapping;

    private static YamlNode? Value(YamlMapping mapping, string name)
        => mapping.TryGet(name, out var entry) && entry.Value is not YamlScalar { IsNull: true } ? entry.Value : null;

    private static string? Text(YamlMapping mapping, string name)
        => Value(mapping, name) is YamlScalar { Type: YamlScalarType.String } text ? text.Value : null;
}
