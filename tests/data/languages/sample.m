classdef Cart < Base
    properties
        Items
        Owner = 'me'
    end

    properties (Constant)
        LIMIT = 10
    end

    methods
        function obj = Cart(owner)
            obj.Owner = owner;
        end

        function t = total(obj, scale)
            local = helper(scale);
            t = local * obj.LIMIT;
        end
    end

    methods (Static)
        function clear()
            disp('clear');
        end
    end

    enumeration
        Red
    end
end

function y = helper(x)
    y = x + 1;
end
