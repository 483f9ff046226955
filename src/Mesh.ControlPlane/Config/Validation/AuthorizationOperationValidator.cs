using Istio.Security.V1Beta1;

namespace Mesh.ControlPlane.Config.Validation;

internal static class AuthorizationOperationValidator
{
    public static void Validate(Operation operation, string path, ValidationContext context)
    {
        if (operation.CalculateSize() == 0)
        {
            context.Error(path, "`to.operation` must not be empty: say what is done, or leave the operation out.");
        }

        AuthorizationValues.NotEmpty(operation.Hosts, $"{path}.hosts", context);
        AuthorizationValues.NotEmpty(operation.NotHosts, $"{path}.notHosts", context);
        AuthorizationValues.Ports(operation.Ports, $"{path}.ports", context);
        AuthorizationValues.Ports(operation.NotPorts, $"{path}.notPorts", context);
        AuthorizationValues.NotEmpty(operation.Methods, $"{path}.methods", context);
        AuthorizationValues.NotEmpty(operation.NotMethods, $"{path}.notMethods", context);
        AuthorizationValues.Paths(operation.Paths, $"{path}.paths", context);
        AuthorizationValues.Paths(operation.NotPaths, $"{path}.notPaths", context);
    }
}
