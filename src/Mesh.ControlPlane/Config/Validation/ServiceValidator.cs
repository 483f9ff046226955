using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>What the Kubernetes API asks of a Service.</summary>
internal static class ServiceValidator
{
    private static readonly string[] Types = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];
    private static readonly string[] Protocols = ["TCP", "UDP", "SCTP"];

    public static void Validate(ServiceSpec spec, ValidationContext context)
    {
        OneOf(spec.Type, Types, "type", context);
        OneOf(spec.SessionAffinity, ["None", "ClientIP"], "sessionAffinity", context);
        LabelValidator.Validate(spec.Selector, "selector", context);
        if (spec.Type == "ExternalName")
        {
            if (!DnsName.IsSubdomain(spec.ExternalName.TrimEnd('.')))
            {
                context.Error("externalName", spec.ExternalName.Length == 0 ? "is required by the type ExternalName." : $"\"{spec.ExternalName}\" is not a host.");
            }
        }
        else if (spec.Ports.Count == 0 && spec.ClusterIp != "None")
        {
            context.Error("ports", "is required: name at least one port.");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var numbers = new HashSet<(int Port, string Protocol)>();
        for (var i = 0; i < spec.Ports.Count; i++)
        {
            Port(spec, i, names, numbers, context);
        }
    }

    private static void Port(ServiceSpec spec, int i, HashSet<string> names, HashSet<(int Port, string Protocol)> numbers, ValidationContext context)
    {
        var port = spec.Ports[i];
        if (port.Name.Length == 0)
        {
            if (spec.Ports.Count > 1)
            {
                context.Error($"ports[{i}].name", "is required where a Service has several ports.");
            }
        }
        else if (!DnsName.IsLowerLabel(port.Name))
        {
            context.Error($"ports[{i}].name", $"\"{port.Name}\" is not a port's name: lower-case letters, digits and '-', at most 63.");
        }
        else if (!names.Add(port.Name))
        {
            context.Error($"ports[{i}].name", $"the port name \"{port.Name}\" is given twice: rename one.");
        }

        OneOf(port.Protocol, Protocols, $"ports[{i}].protocol", context);
        Number(port.Port, $"ports[{i}].port", context);
        if (port.Port != 0 && !numbers.Add((port.Port, port.Protocol.Length == 0 ? "TCP" : port.Protocol)))
        {
            context.Error($"ports[{i}].port", $"the port {port.Port} is given twice: keep one.");
        }

        switch (port.TargetPort)
        {
            case { ValueCase: IntOrString.ValueOneofCase.IntVal } target:
                Number(target.IntVal, $"ports[{i}].targetPort", context);
                break;
            // IANA_SVC_NAME.
            case { ValueCase: IntOrString.ValueOneofCase.StrVal } target
                when target.StrVal.Length > 15 || !DnsName.IsLowerLabel(target.StrVal) || !target.StrVal.Any(char.IsAsciiLetter):
                context.Error(
                    $"ports[{i}].targetPort",
                    target.StrVal.All(char.IsAsciiDigit) ? "must be a number or a name: write it without quotes." : $"\"{target.StrVal}\" is not a port's name: at most 15 lower-case letters, digits and '-'.");
                break;
        }
    }

    private static void Number(int port, string path, ValidationContext context)
    {
        if (port is < 1 or > 65535)
        {
            context.Error(path, $"must be a port from 1 to 65535, not {port}.");
        }
    }

    private static void OneOf(string value, string[] allowed, string path, ValidationContext context)
    {
        if (value.Length > 0 && !allowed.Contains(value))
        {
            context.Error(path, $"must be one of {string.Join(", ", allowed)}, not \"{value}\".");
        }
    }
}
