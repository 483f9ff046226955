using Mesh.Xds.Settings;
using Google.Protobuf;
using Mesh.ControlPlane.Config.Validation;
using Mesh.ControlPlane.Config.Yaml;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Config.Reading;

/// <summary>Reads one object: its envelope (<c>apiVersion</c>, <c>kind</c>, <c>metadata</c>), then its spec.</summary>
internal sealed class ObjectReader(
    ConfigReaderOptions options,
    string file,
    YamlDocument document,
    IReadOnlyList<YamlProblem> yamlProblems,
    string prefix,
    DateTimeOffset now)
{
    private const string DefaultNamespace = "default";

    private static readonly string[] Envelope = ["apiVersion", "kind", "metadata", "spec", "status"];

    private readonly ReadContext _context = new(options);
    private string? _kind;
    private string? _resource;
    private (string, string, string)? _key;

    public ConfigDocument Read(YamlNode root)
    {
        ConfigResource? resource = null;
        foreach (var problem in yamlProblems)
        {
            _context.Add(
                problem.IsWarning ? ConfigSeverity.Warning : ConfigSeverity.Error,
                ConfigCodes.Schema,
                new YamlScalar("", YamlScalarType.Null, true, problem.Line, problem.Column),
                "",
                Sentence(problem.Message));
        }

        if (root is YamlMapping mapping)
        {
            resource = ReadObject(mapping);
        }
        else
        {
            _context.Error(root, YamlPath.Root, $"a document must be a mapping with apiVersion, kind, metadata and spec, not {root.Describe()}.");
        }

        var diagnostics = _context.Problems
            .Select(p => new ConfigDiagnostic(p.Severity, p.Code, file, p.Line, p.Column, p.Path, _resource, p.Message))
            .ToArray();
        return new ConfigDocument(_key, _context.HasErrors ? null : resource, diagnostics);
    }

    private ConfigResource? ReadObject(YamlMapping root)
    {
        var kind = ReadKind(root);
        ReadIdentity(root, kind);
        if (kind is null)
        {
            return null;
        }

        var known = kind.ReadBesideMetadata is null ? Envelope : [.. Envelope[..3], .. FieldNames.Json(kind.Spec)];
        foreach (var entry in root.Entries)
        {
            if (!known.Contains(entry.Key.Value))
            {
                var hint = Suggestion.For(entry.Key.Value, known);
                hint = hint.Length == 0 && FieldNames.Of(kind.Spec).ContainsKey(entry.Key.Value) ? $" Did you mean \"spec.{entry.Key.Value}\"?" : hint;
                _context.UnknownField(entry.Key, Path.Key(entry.Key.Value), $"a {kind.Kind} has no field \"{entry.Key.Value}\".{hint}");
            }
        }

        var reader = new MessageReader(_context);
        var metadata = ReadMetadata(root, reader);
        if (kind.ReadBesideMetadata is { } read)
        {
            return read(root, Path, _context) is { } whole && !_context.HasErrors ? ResourceOf(kind, metadata, whole, root) : null;
        }

        if (!root.TryGet("spec", out var spec) || spec.Value is YamlScalar { IsNull: true })
        {
            _context.Error(root, Path, "spec is missing.");
            return null;
        }

        if (SpecReader.Read(_context, options, kind, spec.Value, Path.Key("spec"), spec.Key) is not { } message)
        {
            return null;
        }

        return ResourceOf(kind, metadata, message, root);
    }

    private ConfigResource ResourceOf(ConfigKind kind, ObjectMeta metadata, IMessage message, YamlMapping root)
        => new(
            kind,
            metadata.Name,
            metadata.Namespace.Length == 0 ? DefaultNamespace : metadata.Namespace,
            metadata.Labels,
            // kubectl repeats the whole document in an annotation: nobody is to find a Secret there.
            kind.ReadBesideMetadata is null ? metadata.Annotations : new Dictionary<string, string>(),
            metadata.CreationTimestamp?.ToDateTimeOffset() ?? now,
            message,
            new ConfigSource(file, root.Line) { Marks = new SourceMap(document, prefix, options.Limits) })
        {
            HasCreationTimestamp = metadata.CreationTimestamp is not null,
        };

    private YamlPath Path
    {
        get
        {
            var path = YamlPath.Root;
            return prefix.Length == 0 ? path : path.Key("items").Item(int.Parse(prefix.AsSpan(6, prefix.Length - 7), System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    private ConfigKind? ReadKind(YamlMapping root)
    {
        _kind = Text(root, "kind");
        var apiVersion = Text(root, "apiVersion");
        if (_kind is null || apiVersion is null)
        {
            return null;
        }

        var at = root.TryGet("kind", out var entry) ? entry.Value : root;
        var slash = apiVersion.IndexOf('/');
        var (group, version) = slash < 0 ? ("", apiVersion) : (apiVersion[..slash], apiVersion[(slash + 1)..]);
        var kind = ConfigKinds.All.FirstOrDefault(k => k.Group == group && k.Kind == _kind);
        if (kind is not null)
        {
            if (kind.Versions.Contains(version))
            {
                return kind;
            }

            _context.Error(
                root.TryGet("apiVersion", out var v) ? v.Value : root,
                Path.Key("apiVersion"),
                $"{kind} is not known in the version \"{version}\": write {string.Join(" or ", kind.Versions.Select(x => group.Length == 0 ? x : $"{group}/{x}"))}.");
            return null;
        }

        if (ConfigKinds.UnusedGroups.Contains(group) || (group.Length == 0 && ConfigKinds.UnusedCoreKinds.Contains(_kind)))
        {
            return null;
        }

        if (ConfigKinds.All.FirstOrDefault(k => k.Kind == _kind) is { } elsewhere)
        {
            var right = elsewhere.Group.Length == 0 ? elsewhere.Versions[0] : $"{elsewhere.Group}/{elsewhere.Versions[0]}";
            _context.Error(
                root.TryGet("apiVersion", out var v) ? v.Value : root,
                Path.Key("apiVersion"),
                $"{_kind} is not of the group \"{apiVersion}\": write apiVersion: {right}.");
            return null;
        }

        var hint = Suggestion.For(_kind, ConfigKinds.All.Select(k => k.Kind));
        _context.Add(
            ConfigSeverity.Warning,
            ConfigCodes.UnknownKind,
            at,
            Path.Key("kind").ToString(),
            $"the kind {_kind} ({apiVersion}) is not applied by this version: the document is skipped.{hint}");
        return null;
    }

    private void ReadIdentity(YamlMapping root, ConfigKind? kind)
    {
        if (_kind is null || !root.TryGet("metadata", out var entry) || entry.Value is not YamlMapping metadata)
        {
            return;
        }

        if (metadata.TryGet("name", out var nameEntry) && nameEntry.Value is YamlScalar { Type: YamlScalarType.String, Value: { Length: > 0 } name })
        {
            var ns = metadata.TryGet("namespace", out var nsEntry) && nsEntry.Value is YamlScalar { Type: YamlScalarType.String, Value: { Length: > 0 } given }
                ? given
                : DefaultNamespace;
            _resource = $"{_kind} {ns}/{name}";
            _key = ((kind ?? ConfigKinds.All.FirstOrDefault(k => k.Kind == _kind))?.ToString() ?? _kind, ns, name);
        }
    }

    private ObjectMeta ReadMetadata(YamlMapping root, MessageReader reader)
    {
        if (!root.TryGet("metadata", out var entry) || entry.Value is YamlScalar { IsNull: true })
        {
            _context.Error(root, Path, "metadata is missing: give the document metadata.name.");
            return new ObjectMeta();
        }

        var path = Path.Key("metadata");
        var metadata = (ObjectMeta)reader.Read(ObjectMeta.Descriptor, entry.Value, path);
        if (entry.Value is not YamlMapping mapping)
        {
            return metadata;
        }

        if (metadata.Name.Length == 0 && !mapping.TryGet("name", out _))
        {
            _context.Error(entry.Key, path, "name is missing.");
        }
        else if (metadata.Name.Length > 0 && !DnsName.IsSubdomain(metadata.Name))
        {
            _context.Error(
                YamlPath.Find(mapping, "name"),
                path.Key("name"),
                $"\"{metadata.Name}\" is not a name: lower-case letters, digits, '-' and '.', letters or digits at both ends.");
        }
        else if (metadata.Name.Length == 0)
        {
            _context.Error(YamlPath.Find(mapping, "name"), path.Key("name"), "must not be empty.");
        }

        if (metadata.Namespace.Length > 0 && !DnsName.IsLowerLabel(metadata.Namespace))
        {
            _context.Error(
                YamlPath.Find(mapping, "namespace"),
                path.Key("namespace"),
                $"\"{metadata.Namespace}\" is not a namespace: lower-case letters, digits and '-', at most 63.");
        }

        LabelValidator.Validate(
            metadata.Labels,
            "labels",
            new ValidationContext((_, _, at, message) => _context.Error(YamlPath.Find(mapping, at), $"{path}.{at}", message)));
        return metadata;
    }

    private string? Text(YamlMapping root, string name)
    {
        if (!root.TryGet(name, out var entry) || entry.Value is YamlScalar { IsNull: true })
        {
            _context.Error(root, Path, $"{name} is missing.");
            return null;
        }

        if (entry.Value is YamlScalar { Type: YamlScalarType.String } text)
        {
            return text.Value;
        }

        _context.Error(entry.Value, Path.Key(name), $"must be a string, not {entry.Value.Describe()}.");
        return null;
    }

    private static string Sentence(string message) => message.EndsWith('.') ? message : message + ".";
}
